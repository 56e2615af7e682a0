"""How a process works, whatever it does: request slots, fair shares, supervision, the cache."""
