"""A memory budget for decoding pictures, shared by all processes of the site (docs/adr/0022).

A reservation holds locks on small files in FACESWAP_VAR. The kernel releases them when their
process ends, even by a crash.
"""

import contextlib
import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from django.conf import settings

from swaps import errors
from swaps.images.refusals import no_memory
from swaps.images.types import Reserve
from swaps.runtime import request_slots

SLOT_BYTES = 32_000_000  # the unit of the budget; each slot is one lock
WAIT_SECONDS = 25.0
POLL_SECONDS = 0.025
RETRY_SECONDS = 10
MAX_WAITING = 100  # of one account, in each process
MAX_WAITING_BYTES = 50_000_000  # that these may hold in memory while waiting
ACCOUNT_FILES = 1000  # accounts with the same id modulo this share a lock

_waiting_lock = threading.Lock()
_waiting: dict[str, list[int]] = {}  # by account: the bytes held by each waiting request


def for_account(pk: int, *, held: int = 0) -> Reserve:
    """Return the ``reserve`` function of an account that already holds ``held`` bytes in memory."""
    return partial(reserve, who=account_name(pk), held=held)


def account_name(pk: int) -> str:
    """Return the name under which an account reserves; at most ``ACCOUNT_FILES`` exist."""
    return f"account-{pk % ACCOUNT_FILES}"


def slots(size: int) -> int:
    """Return how many slots of the budget this many bytes take."""
    return max(1, -(-size // SLOT_BYTES))


@contextlib.contextmanager
def reserve(size: int, *, who: str, held: int = 0) -> Iterator[None]:
    """Hold ``size`` bytes of the budget while the block runs; wait for them if necessary.

    ``who`` (an account, or a process that works for all) holds one reservation at a time.

    Raises ``images.ImageRefused`` for more than the whole budget, ``errors.Overloaded`` after
    ``WAIT_SECONDS``, and ``errors.TooManyRequests`` when too many requests of ``who`` are waiting.
    """
    wanted, total = slots(size), settings.FACESWAP_DECODE_BYTES // SLOT_BYTES
    if wanted > total:
        raise no_memory()
    with contextlib.ExitStack() as locks:
        try:
            _acquire(locks, who, wanted, total, deadline=0)
        except errors.Overloaded:
            locks.close()
            with _counted_as_waiting(who, held), request_slots.released_slot():
                _acquire(locks, who, wanted, total, deadline=time.monotonic() + WAIT_SECONDS)
        yield


def _acquire(
    held: contextlib.ExitStack, who: str, wanted: int, total: int, deadline: float
) -> None:
    """Lock the name of ``who``, then the turn, then as many slots as are wanted.

    Only the holder of the turn collects slots, so two requests cannot block each other with half of
    what they need. Large requests queue separately first, so that small ones need not wait for
    them.
    """
    with contextlib.ExitStack() as turn:
        _wait_for(lambda: _try_lock(who, held), deadline)
        if wanted > total // 2:
            _wait_for(lambda: _try_lock("large", held), deadline)
        _wait_for(lambda: _try_lock("turn", turn), deadline)
        taken: set[int] = set()

        def collect_slots() -> bool:
            for slot in range(total):
                if len(taken) < wanted and slot not in taken and _try_lock(f"slot-{slot}", held):
                    taken.add(slot)
            return len(taken) == wanted

        _wait_for(collect_slots, deadline)


def _wait_for(attempt: Callable[[], bool], deadline: float) -> None:
    """Call ``attempt`` until it succeeds; raises ``errors.Overloaded`` at the deadline."""
    while not attempt():
        if time.monotonic() >= deadline:
            raise errors.Overloaded("opening", retry_after=RETRY_SECONDS)
        time.sleep(POLL_SECONDS)


def _try_lock(name: str, held: contextlib.ExitStack) -> bool:
    """Lock a file; True on success, and ``held`` releases it.

    Every open file is a separate holder.
    """
    file = os.open(_folder() / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return False
    except BaseException:
        os.close(file)
        raise
    held.callback(os.close, file)
    return True


def _folder() -> Path:
    folder: Path = settings.FACESWAP_VAR / "decoding"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


@contextlib.contextmanager
def _counted_as_waiting(who: str, held: int) -> Iterator[None]:
    """Count a waiting request of ``who``.

    Raises ``errors.TooManyRequests`` when there are too many.
    """
    with _waiting_lock:
        others = _waiting.setdefault(who, [])
        if len(others) >= MAX_WAITING or (others and sum(others) + held > MAX_WAITING_BYTES):
            raise errors.TooManyRequests("opening", retry_after=RETRY_SECONDS)
        others.append(held)
    try:
        yield
    finally:
        with _waiting_lock:
            others.remove(held)
            if not others:
                del _waiting[who]
