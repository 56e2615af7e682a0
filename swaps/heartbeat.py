"""Signs of life: each process says every few seconds that it is still there."""

import datetime
import logging
import os
import socket
import threading
from collections.abc import Callable

from django.db import Error, connection
from django.utils import timezone

from swaps.models import Heartbeat

STALE_AFTER = datetime.timedelta(seconds=10)
FORGOTTEN_AFTER = datetime.timedelta(days=1)
INTERVAL_SECONDS = 2.0

log = logging.getLogger(__name__)


def name_of_process(kind: str) -> str:
    """Like ``worker:myhost:4711``: one name for each process, on however many machines."""
    return f"{kind}:{socket.gethostname()[:64]}:{os.getpid()}"


def beat(name: str, now: datetime.datetime | None = None) -> None:
    seen_at = now or timezone.now()
    if Heartbeat.objects.filter(name=name).update(seen_at=seen_at) == 0:
        Heartbeat.objects.get_or_create(name=name, defaults={"seen_at": seen_at})


def forget(name: str) -> None:
    Heartbeat.objects.filter(name=name).delete()


def leave(name: str) -> None:
    """In good order; a database that cannot be written to finds out later."""
    try:
        forget(name)
    except Error as error:
        log.warning("%s could not say good-bye: %s", name, type(error).__name__)


def is_alive(name_prefix: str, now: datetime.datetime) -> bool:
    recent = Heartbeat.objects.filter(seen_at__gt=now - STALE_AFTER)
    return recent.filter(name__startswith=name_prefix).exists()


def delete_dead(now: datetime.datetime) -> None:
    Heartbeat.objects.filter(seen_at__lte=now - FORGOTTEN_AFTER).delete()


def beat_in_background(name: str, interval: float = INTERVAL_SECONDS) -> Callable[[], None]:
    """Beat in a daemon thread, on a database connection of its own, until the process ends.

    Returns what to call when the process leaves in good order: its sign of life goes with it.
    """
    stopped = threading.Event()
    thread = threading.Thread(target=_beat_until, args=(stopped, name, interval), daemon=True)
    thread.start()

    def stop() -> None:
        stopped.set()
        thread.join(timeout=interval)
        leave(name)

    return stop


def _beat_until(stopped: threading.Event, name: str, interval: float) -> None:
    while not stopped.is_set():
        try:
            beat(name)
        except Error as error:  # the database hiccups: the next beat connects anew
            log.warning("%s could not beat: %s", name, type(error).__name__)
            connection.close()
        stopped.wait(interval)
    connection.close()
