"""Signs of life, with the time as an argument."""

import datetime
import logging

import pytest
from django.db import DatabaseError
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from swaps import heartbeat
from swaps.models import Heartbeat
from tests.running import wait_until

NOW = datetime.datetime(2026, 1, 1, 12, tzinfo=datetime.UTC)
SECOND = datetime.timedelta(seconds=1)


@pytest.mark.django_db
def test_a_process_that_beats_is_alive_for_ten_seconds() -> None:
    heartbeat.beat("worker:a:1", NOW)

    assert heartbeat.is_alive("worker:", NOW + 9 * SECOND)
    assert not heartbeat.is_alive("worker:", NOW + 11 * SECOND)
    assert not heartbeat.is_alive("clock:", NOW)


@pytest.mark.django_db
def test_a_beat_is_one_update(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    heartbeat.beat("worker:a:1", NOW)

    with django_assert_num_queries(1):
        heartbeat.beat("worker:a:1", NOW + SECOND)

    assert Heartbeat.objects.get().seen_at == NOW + SECOND


@pytest.mark.django_db
def test_the_dead_are_forgotten_after_a_day() -> None:
    heartbeat.beat("worker:old:1", NOW - datetime.timedelta(hours=25))
    heartbeat.beat("worker:new:2", NOW - datetime.timedelta(hours=23))

    heartbeat.delete_dead(NOW)

    assert [row.name for row in Heartbeat.objects.all()] == ["worker:new:2"]


@pytest.mark.django_db(transaction=True)
def test_beating_goes_on_after_the_database_hiccups(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real_beat, calls = heartbeat.beat, []

    def beat(name: str) -> None:
        calls.append(name)
        if len(calls) == 1:
            raise DatabaseError("server closed the connection")
        real_beat(name)

    monkeypatch.setattr(heartbeat, "beat", beat)
    with caplog.at_level(logging.WARNING):
        leave = heartbeat.beat_in_background("worker:a:1", interval=0.05)
        assert wait_until(lambda: heartbeat.is_alive("worker:", timezone.now()))

    assert "could not beat: DatabaseError" in caplog.text
    leave()
    assert not heartbeat.is_alive("worker:", timezone.now())
