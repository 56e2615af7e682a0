"""The lifecycle of a swap: requested, its pictures fetched, settled, removed."""
