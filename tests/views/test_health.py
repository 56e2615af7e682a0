"""/healthz names the part that does not work, and nothing else."""

import threading

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from swaps import heartbeat
from swaps.views import health

ALL_WELL = dict.fromkeys(("database", "storage", "worker", "courier", "clock"), "ok")


@pytest.fixture(autouse=True)
def _signs_of_life(db: None) -> None:
    heartbeat.beat("worker:a:1")
    heartbeat.beat("clock:a:2")
    heartbeat.beat("courier:a:3")


def test_all_is_well(client: Client) -> None:
    response = client.get("/healthz")

    assert response.status_code == 200
    assert response.json() == {"status": "ok", "checks": ALL_WELL}
    assert response["Cache-Control"] == "no-store"
    assert not response.cookies


@pytest.mark.parametrize("part", ["worker", "courier", "clock"])
def test_a_process_without_sign_of_life_is_named(client: Client, part: str) -> None:
    heartbeat.beat(
        {"worker": "worker:a:1", "clock": "clock:a:2", "courier": "courier:a:3"}[part],
        timezone.now() - 2 * heartbeat.STALE_AFTER,
    )

    response = client.get("/healthz")

    assert response.status_code == 503
    assert response.json()["checks"] == {**ALL_WELL, part: "no sign of life"}


def test_a_store_that_fails_is_named_without_its_secrets(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> bool:
        raise PermissionError("/srv/secret/place")

    monkeypatch.setattr(health, "check_storage", health.make_storage_check(broken, timeout=60))

    response = client.get("/healthz")

    assert response.status_code == 503
    assert response.json()["checks"] == {**ALL_WELL, "storage": "cannot store or read a file"}
    assert b"secret" not in response.content


def test_a_database_that_fails_is_named(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> bool:
        raise OperationalError("could not connect to db.internal with password hunter2")

    monkeypatch.setattr(heartbeat, "is_alive", broken)

    response = client.get("/healthz")

    assert response.status_code == 503
    assert response.json()["checks"]["database"] == "does not answer"
    assert response.json()["checks"]["storage"] == "ok"
    assert b"hunter2" not in response.content


def test_a_store_that_hangs_is_asked_once_and_holds_nobody_up() -> None:
    asked, release = [], threading.Event()

    def hanging() -> bool:
        asked.append(1)
        return release.wait(60)

    check = health.make_storage_check(hanging, timeout=0.05)

    assert [check(), check()] == ["does not answer in time"] * 2
    assert len(asked) == 1
    release.set()


def test_the_store_is_asked_again_only_after_five_seconds() -> None:
    asked, now = [], [100.0]

    def alive() -> bool:
        asked.append(1)
        return True

    check = health.make_storage_check(alive, timeout=60, clock=lambda: now[0])
    check()
    now[0] += 4
    check()
    assert len(asked) == 1
    now[0] += 2
    check()
    assert len(asked) == 2
