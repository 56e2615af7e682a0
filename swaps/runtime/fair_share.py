"""Shares of a process's threads: nobody's slow servers hold up everybody else."""

import threading
from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager

MAX_AT_ONCE = 3

_lock = threading.Lock()
_held: Counter[Hashable] = Counter()


@contextmanager
def try_acquire(who: Hashable) -> Iterator[bool]:
    """True when there is one left for them; it is theirs until the end."""
    with _lock:
        has_share = _held[who] < MAX_AT_ONCE
        _held[who] += has_share
    try:
        yield has_share
    finally:
        with _lock:
            _held[who] -= has_share
            if not _held[who]:
                del _held[who]
