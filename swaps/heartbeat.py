"""Heartbeats: each process records every few seconds that it is alive."""

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
DELETED_AFTER = datetime.timedelta(days=1)
INTERVAL_SECONDS = 2.0

log = logging.getLogger(__name__)


def process_name(kind: str) -> str:
    """Return a name like ``worker:myhost:4711``, unique among processes on all machines."""
    return f"{kind}:{socket.gethostname()[:64]}:{os.getpid()}"


def beat(name: str, now: datetime.datetime | None = None) -> None:
    """Record that this process is alive."""
    seen_at = now or timezone.now()
    if Heartbeat.objects.filter(name=name).update(seen_at=seen_at) == 0:
        Heartbeat.objects.get_or_create(name=name, defaults={"seen_at": seen_at})


def delete(name: str) -> None:
    """Delete the heartbeat of a process that has ended."""
    Heartbeat.objects.filter(name=name).delete()


def sign_off(name: str) -> None:
    """Delete the heartbeat at an orderly end; a failing database is only logged."""
    try:
        delete(name)
    except Error as error:
        log.warning("%s could not say good-bye: %s", name, type(error).__name__)


def is_alive(name_prefix: str, now: datetime.datetime) -> bool:
    """Return whether a process with this name prefix has sent a heartbeat recently."""
    recent = Heartbeat.objects.filter(seen_at__gt=now - STALE_AFTER)
    return recent.filter(name__startswith=name_prefix).exists()


def delete_dead(now: datetime.datetime) -> None:
    """Delete heartbeats that have been silent for a day."""
    Heartbeat.objects.filter(seen_at__lte=now - DELETED_AFTER).delete()


def beat_in_background(name: str, interval: float = INTERVAL_SECONDS) -> Callable[[], None]:
    """Start a daemon thread that beats, over its own database connection, until the process ends.

    Returns the function that stops it and deletes the heartbeat.
    """
    stopped = threading.Event()
    thread = threading.Thread(target=_beat_until, args=(stopped, name, interval), daemon=True)
    thread.start()

    def stop() -> None:
        stopped.set()
        thread.join(timeout=interval)
        sign_off(name)

    return stop


def _beat_until(stopped: threading.Event, name: str, interval: float) -> None:
    while not stopped.is_set():
        try:
            beat(name)
        except Error as error:  # the next beat reconnects
            log.warning("%s could not beat: %s", name, type(error).__name__)
            connection.close()
        stopped.wait(interval)
    connection.close()
