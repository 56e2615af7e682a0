"""The worker process: takes swaps from the queue and performs them, one at a time."""

import logging
import signal
import time
from types import FrameType

from django.db import Error, connection
from django_tasks_db.management.commands.db_worker import Worker

from swaps import heartbeat
from swaps.runtime.parent_death import die_with_supervisor
from swaps.storage import space

POLL_SECONDS = 0.05
PAUSE_SECONDS = 1.0
# Their tasks store pictures: they wait for room. All others go on.
STORING_QUEUES = {"default", "fetches", "provider"}

log = logging.getLogger(__name__)


class ResilientWorker(Worker):
    """A database worker that stops only between two tasks, and survives a failing database or disk.

    The original stops inside the signal handler when no task is running, which loses a task that it
    has claimed and not yet started. The next poll of the queue is 50 ms away.
    """

    _queue_names: list[str]

    def __init__(
        self, queue_names: list[str], *, name: str, interval: float, is_batch: bool = False
    ) -> None:
        super().__init__(
            queue_names=queue_names,
            excluded_queue_names=[],
            interval=interval,
            batch=is_batch,
            backend_name="default",
            startup_delay=False,
            max_tasks=None,
            worker_id=name[:64],
        )

    @property
    def queue_names(self) -> list[str]:
        """Return the queues to take tasks from; on a full disk none that stores pictures."""
        if not space.is_exhausted():
            return self._queue_names
        return [name for name in self._queue_names if name not in STORING_QUEUES]

    @queue_names.setter
    def queue_names(self, names: list[str]) -> None:
        self._queue_names = names

    def run(self) -> None:
        """Run until told to stop; when the queue cannot be read or written, try again."""
        while True:
            try:
                super().run()
            except Error as error:
                log.warning("%s: the queue fails: %s", self.worker_id, error)
                connection.close()
                time.sleep(PAUSE_SECONDS)
            else:
                return

    def run_with_heartbeat(self) -> None:
        """Run with a heartbeat, which is deleted when the worker leaves in good order."""
        leave = heartbeat.beat_in_background(self.worker_id)
        log.info("%s is ready", self.worker_id)
        self.run()
        leave()

    def shutdown(self, signum: int, frame: FrameType | None) -> None:
        if not self.running:
            super().shutdown(signum, frame)  # asked twice: leave now
        log.info("%s: finishing what is running, then stopping", signal.Signals(signum).name)
        self.running = False


def run(name: str | None = None, *, is_batch: bool = False) -> None:
    """Perform swaps until a signal comes; with ``is_batch`` until the queue is empty."""
    die_with_supervisor()
    name = f"worker:{name}" if name else heartbeat.process_name("worker")
    worker = ResilientWorker(["default"], name=name, interval=POLL_SECONDS, is_batch=is_batch)
    worker.configure_signals()
    _warm_up()
    worker.run_with_heartbeat()


def _warm_up() -> None:
    from swaps.providers import embedded

    embedded.warm_up()
