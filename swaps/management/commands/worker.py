"""A worker: takes swaps from the database's queue and performs them, one at a time."""

import logging
import signal
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django_tasks_db.management.commands.db_worker import Worker

from swaps import heartbeat
from swaps.supervisor import die_with_supervisor

POLL_SECONDS = 0.05

log = logging.getLogger(__name__)


class PatientWorker(Worker):
    """Lets go only between two tasks.

    The original leaves from inside the signal handler when no task is running, which loses a
    task that it has claimed and not yet started. The next look at the queue is 50 ms away.
    """

    def shutdown(self, signum: int, frame: FrameType | None) -> None:
        if not self.running:
            super().shutdown(signum, frame)  # asked twice: leave now
        log.info("%s: finishing what is running, then stopping", signal.Signals(signum).name)
        self.running = False


class Command(BaseCommand):
    help = "Perform swaps from the queue. SIGTERM lets it finish the running one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--name", help="name of this worker (default: from the machine and the process)"
        )
        parser.add_argument("--batch", action="store_true", help="stop when the queue is empty")

    def handle(self, *, name: str | None, batch: bool, **_options: Any) -> None:
        die_with_supervisor()
        name = f"worker:{name}" if name else heartbeat.name_of_process("worker")
        worker = PatientWorker(
            queue_names=["default"],
            excluded_queue_names=[],
            interval=POLL_SECONDS,
            batch=batch,
            backend_name="default",
            startup_delay=False,
            max_tasks=None,
            worker_id=name[:64],
        )
        worker.configure_signals()
        _warm_up()
        leave = heartbeat.beat_in_background(name)
        log.info("%s is ready", name)
        worker.run()
        leave()


def _warm_up() -> None:
    from swaps.providers import embedded

    embedded.warm_up()
