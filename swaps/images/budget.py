"""A budget of memory for opening pictures, shared by all processes of the site (docs/adr/0022).

What a reservation holds are locks on small files in FACESWAP_VAR. The kernel gives them back when
their process ends, however that happens, so nothing is ever lost to a crash.
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

SLOT_BYTES = 32_000_000  # the budget is handed out in such pieces, a lock for each
WAIT_SECONDS = 25.0
LOOK_SECONDS = 0.025
RETRY_SECONDS = 10
MAX_WAITING = 100  # of one account, in each process
MAX_WAITING_BYTES = 50_000_000  # what these may hold in memory meanwhile
ACCOUNT_FILES = 1000  # accounts with the same number modulo this share a place

_lock = threading.Lock()
_waiting: dict[str, list[int]] = {}  # the bytes that each of an account's holds


def for_account(pk: int, *, held: int = 0) -> Reserve:
    """Reservations of one account, which holds so many bytes of the picture in memory already."""
    return partial(reserve, who=account(pk), held=held)


def account(pk: int) -> str:
    return f"account-{pk % ACCOUNT_FILES}"


def slots(size: int) -> int:
    """How many pieces of the budget so many bytes take."""
    return max(1, -(-size // SLOT_BYTES))


@contextlib.contextmanager
def reserve(size: int, *, who: str, held: int = 0) -> Iterator[None]:
    """Hold so many bytes of the budget; wait for them if need be.

    ``who`` holds one reservation at a time: an account, or a process that works for everybody.

    Raises ``images.ImageRefused`` for more than there is at all, ``errors.Overloaded`` when the
    others took too long, and ``errors.TooManyRequests`` when enough of ``who`` are waiting.
    """
    wanted, total = slots(size), settings.FACESWAP_DECODE_BYTES // SLOT_BYTES
    if wanted > total:
        raise no_memory()
    with contextlib.ExitStack() as locks:
        try:
            _acquire(locks, who, wanted, total, deadline=0)
        except errors.Overloaded:
            locks.close()
            with _waiting_place(who, held), request_slots.released_slot():
                _acquire(locks, who, wanted, total, deadline=time.monotonic() + WAIT_SECONDS)
        yield


def _acquire(
    held: contextlib.ExitStack, who: str, wanted: int, total: int, deadline: float
) -> None:
    """The place of ``who``, then the turn, then the slots.

    Only whose turn it is collects slots: so nobody waits for what another waiting one holds. The
    large ones have a line of their own before that, which the small ones need not stand in.
    """
    with contextlib.ExitStack() as turn:
        _wait_for(lambda: _try_lock(who, held), deadline)
        if wanted > total // 2:
            _wait_for(lambda: _try_lock("large", held), deadline)
        _wait_for(lambda: _try_lock("turn", turn), deadline)
        taken: set[int] = set()

        def has_enough() -> bool:
            for slot in range(total):
                if len(taken) < wanted and slot not in taken and _try_lock(f"slot-{slot}", held):
                    taken.add(slot)
            return len(taken) == wanted

        _wait_for(has_enough, deadline)


def _wait_for(attempt: Callable[[], bool], deadline: float) -> None:
    while not attempt():
        if time.monotonic() >= deadline:
            raise errors.Overloaded(
                "Too many pictures are being opened at the moment. Try again in a moment.",
                retry_after=RETRY_SECONDS,
            )
        time.sleep(LOOK_SECONDS)


def _try_lock(name: str, held: contextlib.ExitStack) -> bool:
    """True when it is ours; ``held`` gives it back. Each open file is a holder of its own."""
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
def _waiting_place(who: str, held: int) -> Iterator[None]:
    with _lock:
        others = _waiting.setdefault(who, [])
        if len(others) >= MAX_WAITING or (others and sum(others) + held > MAX_WAITING_BYTES):
            raise errors.TooManyRequests(
                "Too many of your pictures are waiting to be opened. Try again in a moment.",
                retry_after=RETRY_SECONDS,
            )
        others.append(held)
    try:
        yield
    finally:
        with _lock:
            others.remove(held)
            if not others:
                del _waiting[who]
