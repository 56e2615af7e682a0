"""Synchronous calls: waits for tasks to end without holding up other requests.

One thread of the process polls the database for all of them, and wakes those whose task has ended.
"""

import contextlib
import logging
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from django.conf import settings
from django.db import connection

from swaps import errors
from swaps.models import Detection, Swap
from swaps.models.swap_states import UNFINISHED
from swaps.runtime import request_slots

POLL_SECONDS = 0.03
RETRY_SECONDS = 5

Task = TypeVar("Task", Swap, Detection)

log = logging.getLogger(__name__)


class _WaitingCall:
    """A waiting call; it is woken with its task, or without one when the process stops."""

    def __init__(self, task: Swap | Detection, is_leaving: Callable[[], bool]) -> None:
        self.task = task
        self.is_leaving = is_leaving
        self.ended: Any = None
        self.woken = threading.Event()


_lock = threading.Lock()
_admitted: Counter[int] = Counter()  # by account
_waits: set[_WaitingCall] = set()
_watcher: threading.Thread | None = None


@contextlib.contextmanager
def admission(user_id: int) -> Iterator[None]:
    """Hold a place among the waiting calls. Raises ``errors.TooManyRequests`` when all are taken.

    One account gets half of the places at the most. Enter it before anything is spent.
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


def wait_for(task: Task, seconds: float, is_leaving: Callable[[], bool]) -> Task | None:
    """Wait until a task has ended and return it.

    Returns None when the time is over first, or this process is about to stop.
    """
    wait = _WaitingCall(task, is_leaving)
    with request_slots.released_slot():
        _start_watching(wait)
        wait.woken.wait(seconds)
        with _lock:
            _waits.discard(wait)
    ended: Task | None = wait.ended
    return ended


def _start_watching(wait: _WaitingCall) -> None:
    global _watcher  # noqa: PLW0603
    with _lock:
        _waits.add(wait)
        if _watcher is None or not _watcher.is_alive():
            _watcher = threading.Thread(target=_watch, name="waiting", daemon=True)
            _watcher.start()


def _watch() -> None:
    """Poll for the waiting calls until there is none left."""
    pause = threading.Event()
    try:
        while waits := _waits_or_stop():
            try:
                leaving = {wait for wait in waits if wait.is_leaving()}
                _wake(leaving)
                _wake_ended(waits - leaving)
            except Exception:  # whatever it is, those who wait have their time limits
                log.exception("those who wait could not be looked after")
                connection.close()
            pause.wait(POLL_SECONDS)
    finally:
        connection.close()


def _wake_ended(waits: set[_WaitingCall]) -> None:
    """Wake the calls whose tasks have ended."""
    ended: dict[uuid.UUID, Swap | Detection] = {}
    for model in {type(wait.task) for wait in waits}:
        ids = {wait.task.pk for wait in waits if isinstance(wait.task, model)}
        found = model.objects.filter(pk__in=ids).exclude(status__in=UNFINISHED)
        ended |= {task.pk: task for task in found}
    _wake({wait for wait in waits if wait.task.pk in ended}, ended)


def _wake(
    waits: set[_WaitingCall], ended: Mapping[uuid.UUID, Swap | Detection] | None = None
) -> None:
    for wait in waits:
        wait.ended = (ended or {}).get(wait.task.pk)
        wait.woken.set()
    with _lock:
        _waits.difference_update(waits)


def _waits_or_stop() -> set[_WaitingCall]:
    """Return the waiting calls; without any, mark the watcher thread as gone."""
    global _watcher  # noqa: PLW0603
    with _lock:
        if not _waits:
            _watcher = None
        return set(_waits)
