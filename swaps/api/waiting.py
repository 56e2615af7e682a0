"""Calls that wait for their results, and hold up nobody else.

One thread of the process looks after all of them: it asks the database which of their swaps have
ended, and wakes those who wait for one.
"""

import contextlib
import logging
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator

from django.conf import settings
from django.db import connection

from swaps import errors
from swaps.models import Swap
from swaps.models.swap_states import UNFINISHED
from swaps.runtime import request_slots

LOOK_SECONDS = 0.03
RETRY_SECONDS = 5

log = logging.getLogger(__name__)


class _Wait:
    """One caller: wakes up with the swap that has ended, or without one."""

    def __init__(self, swap_id: uuid.UUID) -> None:
        self.swap_id = swap_id
        self.ended: Swap | None = None
        self.woken = threading.Event()


_lock = threading.Lock()
_admitted: Counter[int] = Counter()  # by account
_waits: set[_Wait] = set()
_watcher: threading.Thread | None = None
# Says whether this process is about to stop: then nobody is kept waiting.
is_leaving: Callable[[], bool] = lambda: False  # noqa: E731


@contextlib.contextmanager
def admission(user_id: int) -> Iterator[None]:
    """A place among those who wait, or ``errors.TooManyRequests``, before anything is spent.

    One account takes half of the places at the most.
    """
    most = settings.FACESWAP_API_WAITING_CALLS
    with _lock:
        if _admitted.total() >= most or _admitted[user_id] >= (most + 1) // 2:
            raise errors.TooManyRequests("waiting", retry_after=RETRY_SECONDS)
        _admitted[user_id] += 1
    try:
        yield
    finally:
        with _lock:
            _admitted[user_id] -= 1
            if not _admitted[user_id]:
                del _admitted[user_id]


def wait_for(swap: Swap, seconds: float) -> Swap | None:
    """The swap once it has ended; None when the time is over first."""
    wait = _Wait(swap.pk)
    with request_slots.released_slot():
        _start_watching(wait)
        wait.woken.wait(seconds)
        with _lock:
            _waits.discard(wait)
    return wait.ended


def _start_watching(wait: _Wait) -> None:
    global _watcher  # noqa: PLW0603
    with _lock:
        _waits.add(wait)
        if _watcher is None or not _watcher.is_alive():
            _watcher = threading.Thread(target=_watch, name="waiting", daemon=True)
            _watcher.start()


def _watch() -> None:
    """Until nobody waits any more."""
    pause = threading.Event()
    try:
        while waits := _waits_now():
            try:
                if is_leaving():
                    _wake(waits)
                else:
                    _look_after(waits)
            except Exception:  # whatever it is, those who wait have their time limits
                log.exception("those who wait could not be looked after")
                connection.close()
            pause.wait(LOOK_SECONDS)
    finally:
        connection.close()


def _look_after(waits: set[_Wait]) -> None:
    ids = {wait.swap_id for wait in waits}
    found = Swap.objects.filter(pk__in=ids).exclude(status__in=UNFINISHED)
    ended = {swap.pk: swap for swap in found}
    _wake({wait for wait in waits if wait.swap_id in ended}, ended)


def _wake(waits: set[_Wait], ended: dict[uuid.UUID, Swap] | None = None) -> None:
    for wait in waits:
        wait.ended = (ended or {}).get(wait.swap_id)
        wait.woken.set()
    with _lock:
        _waits.difference_update(waits)


def _waits_now() -> set[_Wait]:
    """Those who wait; when there is nobody, the watcher is as good as gone."""
    global _watcher  # noqa: PLW0603
    with _lock:
        if not _waits:
            _watcher = None
        return set(_waits)
