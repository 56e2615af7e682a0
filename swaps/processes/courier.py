"""The courier process: fetches pictures, delivers callbacks, sends mail, calls the hosted provider.

It is the only process that calls other servers.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.conf import settings
from django.db import close_old_connections, connection
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from swaps import heartbeat
from swaps.clock.recovery import enqueue_submissions
from swaps.models import Provider
from swaps.processes.worker import ResilientWorker
from swaps.runtime.parent_death import die_with_supervisor

POLL_SECONDS = 0.1
SUBMISSIONS_POLL_SECONDS = 0.2
# A server that hangs holds one of these; no queue can starve another.
THREADS: Mapping[str, int] = {"fetches": 12, "deliveries": 12, "provider": 12, "mail": 4}

log = logging.getLogger(__name__)


class Courier(ResilientWorker):
    """A worker with several threads for each queue; it takes no task that would have to wait."""

    def __init__(self, threads: Mapping[str, int], *, name: str, interval: float) -> None:
        super().__init__(list(threads), name=name, interval=interval)
        self._threads = threads
        self._pools = {name: ThreadPoolExecutor(count, name) for name, count in threads.items()}
        self._busy: Counter[str] = Counter()
        self._lock = threading.Lock()

    def run(self) -> None:
        super().run()
        for pool in self._pools.values():
            pool.shutdown()

    def run_task(self, db_task_result: "DBTaskResult[..., Any]") -> None:
        queue = db_task_result.queue_name
        self._count(queue, 1)
        self._pools[queue].submit(self._run_in_thread, queue, db_task_result)

    def _run_in_thread(self, queue: str, db_task_result: "DBTaskResult[..., Any]") -> None:
        close_old_connections()
        try:
            super().run_task(db_task_result)
        except Exception:
            log.exception("a task of the queue %s broke", queue)
        finally:
            close_old_connections()
            self._count(queue, -1)

    def _count(self, queue: str, change: int) -> None:
        with self._lock:
            self._busy[queue] += change
            self.queue_names = [
                name for name, count in self._threads.items() if self._busy[name] < count
            ]


def uses_hosted_provider() -> bool:
    """Return True when swaps of the browser or of the API go to a hosted provider."""
    return Provider.HOSTED in {settings.FACESWAP_PROVIDER, settings.FACESWAP_API_PROVIDER}


def poll_submissions(courier: Courier) -> None:
    """Enqueue due steps with the hosted provider several times a second, as the clock does once.

    A callback only makes its swap due; this is what enqueues the next step soon.
    """
    while courier.running:
        close_old_connections()
        try:
            enqueue_submissions(timezone.now())
        except Exception:
            log.exception("the submissions could not be looked after")
            connection.close()
        time.sleep(SUBMISSIONS_POLL_SECONDS)
    connection.close()


def run() -> None:
    """Run the courier until a signal comes."""
    die_with_supervisor()
    courier = Courier(THREADS, name=heartbeat.process_name("courier"), interval=POLL_SECONDS)
    courier.configure_signals()
    if uses_hosted_provider():
        threading.Thread(target=poll_submissions, args=(courier,), daemon=True).start()
    courier.run_with_heartbeat()
