"""Fair shares of a process's threads: one client's slow servers cannot occupy all of them."""

import threading
from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager

MAX_AT_ONCE = 3

_lock = threading.Lock()
_held: Counter[Hashable] = Counter()


@contextmanager
def try_acquire(who: Hashable) -> Iterator[bool]:
    """Take one of ``who``'s shares until the block ends; yields False when all are taken."""
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
