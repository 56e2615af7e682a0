"""The runtime of every process: request slots, fair shares, supervision, the cache."""
