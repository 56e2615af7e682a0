"""The worker as a real process (its engine left out), and how it lets go."""

import signal
from pathlib import Path

import pytest
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from swaps import heartbeat
from swaps.processes.worker import ResilientWorker
from tests.running import WORKER_WITHOUT_ENGINE, running, wait_until
from tests.slow_task import write_slowly


def is_alive() -> bool:
    return heartbeat.is_alive("worker:", timezone.now())


@pytest.mark.django_db(transaction=True)
def test_sigterm_lets_the_running_task_finish_and_leaves_the_next_one(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        write_slowly.enqueue(str(folder))

    with running("-c", WORKER_WITHOUT_ENGINE) as worker:
        assert wait_until((first / "started").exists)
        assert wait_until(is_alive)
        worker.send_signal(signal.SIGTERM)
        (first / "may_finish").touch()
        assert worker.wait(timeout=60) == 0

    assert (first / "finished").exists()
    assert not (second / "started").exists()
    statuses = DBTaskResult.objects.order_by("enqueued_at").values_list("status", flat=True)
    assert list(statuses) == ["SUCCESSFUL", "READY"]
    assert not is_alive()


@pytest.mark.django_db(transaction=True)
def test_an_idle_worker_stops_at_once() -> None:
    with running("-c", WORKER_WITHOUT_ENGINE) as worker:
        assert wait_until(is_alive)
        worker.send_signal(signal.SIGINT)
        assert worker.wait(timeout=20) == 0


def test_a_signal_between_claim_and_start_loses_no_task() -> None:
    worker = ResilientWorker(["*"], name="worker:test", interval=0.05)

    worker.shutdown(signal.SIGTERM, None)  # the original raises SystemExit here

    assert not worker.running
