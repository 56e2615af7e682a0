"""The clock: every duty in its time, none in the way of another."""

import datetime
import errno
import signal

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from swaps import heartbeat
from swaps.models import Status, Swap, User
from swaps.processes.clock import make_tick
from swaps.tasks import run_swap
from tests.running import running, wait_until

DAY = datetime.timedelta(days=1)
SECOND = datetime.timedelta(seconds=1)


@pytest.mark.django_db
def test_a_duty_that_fails_is_logged_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_now: datetime.datetime) -> None:
        raise RuntimeError("no luck today")

    now = timezone.now()
    heartbeat.beat("worker:dead:1", now - 2 * DAY)
    tick = make_tick("clock:test", [broken])

    tick(now)
    tick(now + 3 * SECOND)

    assert caplog.text.count("RuntimeError: no luck today") == 2
    assert heartbeat.is_alive("clock:test", now + 3 * SECOND)
    assert not heartbeat.is_alive("worker:", now - 2 * DAY)


@pytest.mark.django_db
def test_a_full_disk_is_told_in_one_line_and_waited_out(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    full = [True]
    done = []

    def write(_now: datetime.datetime) -> None:
        if full:
            raise OSError(errno.ENOSPC, "No space left on device")
        done.append("written")

    now = timezone.now()
    tick = make_tick("clock:test", [write, write])

    tick(now)
    full.clear()
    tick(now + SECOND)

    assert caplog.text.count("the disk is full") == 1
    assert "Traceback" not in caplog.text
    assert done == ["written", "written"]


@pytest.mark.django_db
def test_old_task_rows_and_sessions_are_pruned() -> None:
    now = timezone.now()
    rows = [
        {"status": "SUCCESSFUL", "finished_at": now - SECOND},
        {"status": "RUNNING", "started_at": now - 2 * DAY},  # its process was killed
        {"status": "RUNNING", "started_at": now - SECOND},
    ]
    for row in rows:
        task = run_swap.enqueue("00000000-0000-0000-0000-000000000000")
        DBTaskResult.objects.filter(pk=task.id).update(**row)
    Session.objects.create(session_key="old", session_data="", expire_date=now - DAY)
    Session.objects.create(session_key="new", session_data="", expire_date=now + DAY)

    make_tick("clock:test")(now)

    assert DBTaskResult.objects.values_list("started_at", flat=True).get() == now - SECOND
    assert Session.objects.values_list("session_key", flat=True).get() == "new"


@pytest.mark.django_db
def test_two_clocks_queue_an_overdue_swap_once() -> None:
    now = timezone.now()
    swap = Swap.objects.create(
        owner=User.objects.create_user("alice@example.com", "correct horse battery"),
        status=Status.PROCESSING,
        attempts=1,
        lease_expires_at=now - SECOND,
    )
    one, other = make_tick("clock:one"), make_tick("clock:other")

    one(now)
    other(now)
    one(now + SECOND)

    swap.refresh_from_db()
    assert swap.status == Status.QUEUED
    assert DBTaskResult.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_clock_beats_until_it_is_stopped() -> None:
    with running("manage.py", "clock") as clock:
        assert wait_until(lambda: heartbeat.is_alive("clock:", timezone.now()))
        clock.send_signal(signal.SIGTERM)
        assert clock.wait(timeout=60) == 0

    assert not heartbeat.is_alive("clock:", timezone.now())
