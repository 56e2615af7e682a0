"""The clock process: recovery, retention and other periodic duties."""

import datetime
import logging
import signal
import threading
from collections.abc import Callable, Iterable
from typing import Any

from django.core.cache import cache
from django.core.management import call_command
from django.db import close_old_connections
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from swaps import heartbeat
from swaps.clock.retention import (
    delete_expired_forms,
    delete_expired_logs,
    delete_old_detections,
)
from swaps.clock.steps import STEPS
from swaps.runtime.parent_death import die_with_supervisor
from swaps.storage import reserve, space

TICK_SECONDS = 1.0
MINUTE = datetime.timedelta(minutes=1)
HOUR = datetime.timedelta(hours=1)
DAY = datetime.timedelta(days=1)
RUNNING = "RUNNING"

Step = Callable[[datetime.datetime], None]

log = logging.getLogger(__name__)


def run(*, is_once: bool = False) -> None:
    """Tick every second until a signal comes, or once with ``is_once``."""
    die_with_supervisor()
    name = heartbeat.process_name("clock")
    tick = make_tick(name)
    if is_once:
        tick(timezone.now())
        return
    stopped = threading.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, lambda *_: stopped.set())
    log.info("%s is ready", name)
    while not stopped.is_set():
        close_old_connections()  # also drops one that an error has spoilt
        tick(timezone.now())
        stopped.wait(TICK_SECONDS)
    heartbeat.sign_off(name)


def make_tick(name: str, steps: Iterable[Step] = STEPS) -> Step:
    """Return one tick, which runs each due duty on its own, so that none holds up the others."""
    duties: list[tuple[Step, datetime.timedelta]] = [
        (lambda now: heartbeat.beat(name, now), datetime.timedelta(seconds=2)),
        *((step, datetime.timedelta(0)) for step in steps),
        (delete_expired_cache, datetime.timedelta(seconds=10)),
        (reserve.refill_reserve, HOUR),
        (heartbeat.delete_dead, HOUR),
        (delete_expired_logs, HOUR),
        (delete_expired_forms, MINUTE),
        (delete_old_detections, MINUTE),
        (delete_finished_tasks, HOUR),
        (delete_expired_sessions, DAY),
    ]
    due = [datetime.datetime.min.replace(tzinfo=datetime.UTC)] * len(duties)

    def tick(now: datetime.datetime) -> None:
        for number, (duty, every) in enumerate(duties):
            if now < due[number] <= now + every:  # not so after the system's clock was set back
                continue
            due[number] = now + every
            if not run_duty(duty, now):
                return

    return tick


def run_duty(duty: Step, now: datetime.datetime) -> bool:
    """Run a duty; log its failure, and try again in its next round.

    Returns False when the disk is full: the others would fail of it as well, and fill the log.
    """
    try:
        duty(now)
    except Exception as error:
        if space.is_disk_full_error(error):
            log.warning("the disk is full: %s", error)
            return False
        log.exception("the clock's duty failed")
    return True


def delete_finished_tasks(now: datetime.datetime) -> None:
    """Delete tasks that have run, and tasks of killed processes whose rows were taken up again."""
    call_command("prune_db_task_results", queue_name="*", min_age_days=0, verbosity=0)
    DBTaskResult.objects.filter(status=RUNNING, started_at__lte=now - DAY).delete()


def delete_expired_cache(_now: datetime.datetime) -> None:
    """Delete expired entries of the database cache."""
    lasting: Any = cache
    lasting.delete_expired()


def delete_expired_sessions(_now: datetime.datetime) -> None:
    """Delete expired sessions."""
    call_command("clearsessions", verbosity=0)
