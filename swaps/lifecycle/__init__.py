"""The story of a swap, which spans several rows: request, fetch, enqueue, settle, remove."""
