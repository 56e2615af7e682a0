"""A disk that is full to its last byte: refused with words, nothing lost, nothing left behind."""

import contextlib
import errno
import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg.errors
import pytest
from botocore.exceptions import ClientError
from django.conf import settings as site_settings
from django.db import connection
from django.test import Client
from PIL import Image
from pytest_django import Settings

from swaps import images, storage
from swaps.clock.steps import tick
from swaps.lifecycle.request import request_swap
from swaps.models import AccountStorage, ApiAccess, ApiKey, Quota, Status, StrayFiles, Swap, User
from swaps.processes.worker import STORING_QUEUES, ResilientWorker
from swaps.storage import space
from swaps.tasks import run_swap
from tests.parts import require
from tests.pictures import real, swap_form
from tests.running import WORKER_WITHOUT_ENGINE, running, wait_until
from tests.small_disk import SmallDisk, small_disk
from tests.swap_rows import later, queued_swap

MB = 1_000_000


@pytest.fixture
def disk(settings: Settings) -> Iterator[SmallDisk]:
    """The pictures are on it."""
    require("small-disk")
    with small_disk(8) as disk:
        settings.MEDIA_ROOT = disk.root / "media"
        settings.FACESWAP_MIN_FREE_BYTES = 0
        yield disk


def files_on(disk: SmallDisk) -> set[Path]:
    return {path for path in (disk.root / "media").rglob("*") if path.is_file()}


def test_failing_calls_leave_nothing(disk: SmallDisk, alice: User) -> None:
    source, target = real("face-man-frontal"), real("face-woman-frontal")
    disk.leave(len(source.data) + len(target.data) // 2)  # the second photo ends in its middle
    for _ in range(5):
        with pytest.raises(OSError, match="No space") as caught:
            request_swap(alice, source, target)
        assert space.is_disk_full_error(caught.value)
    assert files_on(disk) == set()
    assert not list((disk.root / "media" / "swaps").iterdir())
    assert not StrayFiles.objects.exists()
    assert AccountStorage.objects.get(user=alice).size == 0
    assert Quota.objects.remaining_of(alice) == site_settings.FACESWAP_FREE_SWAPS


def test_a_picture_is_stored_wholly_or_not_at_all(disk: SmallDisk) -> None:
    storage.put("swaps/1/result.jpg", b"before")
    disk.leave(100_000)
    with pytest.raises(OSError, match="No space"):
        storage.put("swaps/1/result.jpg", bytes(MB))
    assert storage.read("swaps/1/result.jpg") == b"before"
    assert files_on(disk) == {disk.root / "media" / "swaps" / "1" / "result.jpg"}


def test_an_attempt_without_room_does_not_count(disk: SmallDisk, alice: User) -> None:
    swap = request_swap(alice, real("face-man-frontal"), real("face-woman-frontal"))
    for seconds in range(10, 60, 10):  # more often than a swap may break
        disk.fill()
        run_swap.call(str(swap.pk))
        swap.refresh_from_db()
        assert (swap.status, swap.attempts) == (Status.PROCESSING, 0)
        tick(later(seconds))
    disk.free()
    run_swap.call(str(swap.pk))
    swap.refresh_from_db()
    assert (swap.status, swap.attempts) == (Status.SUCCEEDED, 1)


@pytest.mark.parametrize("free", [0, 1 * MB], ids=["full", "low"])
def test_new_pictures_are_refused_with_words(
    disk: SmallDisk, settings: Settings, as_alice: Client, alice: User, free: int
) -> None:
    settings.FACESWAP_MIN_FREE_BYTES = 2 * MB
    disk.leave(free)
    answer = as_alice.post("/swaps/new/", swap_form())
    assert answer.status_code == 507
    assert "The disk of this site is full" in answer.content.decode()
    assert int(answer["Retry-After"]) > 0
    assert "nearly full" in as_alice.get("/swaps/new/").content.decode()
    assert not Swap.objects.exists()
    assert files_on(disk) == set()


def test_a_disk_that_another_program_fills_meanwhile_is_told_in_the_same_words(
    disk: SmallDisk, as_alice: Client
) -> None:
    disk.fill()
    as_alice.raise_request_exception = False
    answer = as_alice.post("/swaps/new/", swap_form())
    assert answer.status_code == 507
    assert int(answer["Retry-After"]) > 0


@pytest.mark.parametrize("min_free", [0, 2 * MB], ids=["found out", "known before"])
def test_a_call_is_told_to_try_again_later(
    disk: SmallDisk, settings: Settings, client: Client, alice: User, min_free: int
) -> None:
    settings.FACESWAP_MIN_FREE_BYTES = min_free
    ApiAccess.objects.get_or_grant(alice)
    _, token = ApiKey.objects.issue(alice)
    disk.fill()
    url = f"{site_settings.SITE_URL}/samples/1-face.jpg"
    answer = client.post(
        "/face/swap",
        json.dumps({"source_image_url": url, "target_image_url": url, "async": True}),
        content_type="application/json",
        headers={"authorization": f"Bearer {token}"},
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "api_error")
    assert "no room" in answer.json()["error"]["message"]
    assert int(answer["Retry-After"]) > 0
    assert answer["X-Quota-Remaining"] == str(site_settings.FACESWAP_API_FREE_SWAPS)


@pytest.mark.django_db
def test_health_tells_of_space(disk: SmallDisk, settings: Settings, client: Client) -> None:
    settings.FACESWAP_MIN_FREE_BYTES = 4 * MB
    disk.leave(3 * MB)
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["storage"].startswith("low: ")
    disk.fill()
    message = client.get("/healthz").json()["checks"]["storage"]
    assert message == "full: 0 MB free; new pictures are refused"


@pytest.mark.django_db
def test_without_room_no_task_is_taken_that_stores_pictures(
    disk: SmallDisk, settings: Settings
) -> None:
    settings.FACESWAP_MIN_FREE_BYTES = 4 * MB
    worker = ResilientWorker(
        ["default", "fetches", "provider", "deliveries"],
        name="worker:test",
        interval=0.05,
        is_batch=True,
    )
    disk.leave(3 * MB)
    assert set(worker.queue_names) > STORING_QUEUES
    disk.leave(1 * MB)
    assert worker.queue_names == ["deliveries"]
    disk.free()
    assert set(worker.queue_names) > STORING_QUEUES


@pytest.mark.django_db(transaction=True)
def test_a_worker_whose_database_is_full_waits_and_goes_on(
    disk: SmallDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("SKIPPED: SQLite only")
    owner = User.objects.create_user("full@example.com", "correct horse battery")
    swap = queued_swap(owner)
    Swap.objects.filter(pk=swap.pk).update(status=Status.REMOVED)  # its task has nothing to do
    copy = disk.root / "db.sqlite3"
    connection.cursor().execute("VACUUM INTO %s", [str(copy)])
    disk.fill()
    monkeypatch.setenv("FACESWAP_MIN_FREE_MB", "0")
    monkeypatch.setattr("tests.running.database_url", lambda: f"sqlite:///{copy}")
    with running("-c", WORKER_WITHOUT_ENGINE) as worker:
        assert worker.stdout
        line = next(line for line in worker.stdout if "queue fails" in line)
        assert "disk" in line, line
        disk.free()
        assert wait_until(lambda: _statuses(copy) == ["SUCCESSFUL"])
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=10) == 0


def _statuses(path: Path) -> list[str]:
    with contextlib.closing(sqlite3.connect(path)) as copy:
        rows = copy.execute("select status from django_tasks_database_dbtaskresult").fetchall()
    return [status for (status,) in rows]


def test_a_large_photo_for_which_the_temporary_folder_has_no_room_is_not_called_broken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    require("small-disk")
    large = io.BytesIO()
    Image.effect_noise((1600, 1400), 90).save(large, "JPEG", quality=90)
    large.seek(0)
    size = len(large.getbuffer())
    with small_disk(4) as disk:
        monkeypatch.setattr(tempfile, "tempdir", str(disk.root))
        disk.leave(size + 500_000)  # for the upload, and not for what is made of it
        with pytest.raises(OSError, match="no room") as caught:
            images.accept(large, size=size, max_bytes=20 * MB, max_pixels=50 * MB)
    assert space.is_disk_full_error(caught.value)


def test_what_is_no_lack_of_room_is_not_taken_for_it() -> None:
    assert space.is_disk_full_error(OSError(errno.EDQUOT, "quota"))
    assert space.is_disk_full_error(psycopg.errors.DiskFull("could not extend file"))
    bucket_is_full: Any = {"ResponseMetadata": {"HTTPStatusCode": 507}}
    assert space.is_disk_full_error(ClientError(bucket_is_full, "PutObject"))
    assert not space.is_disk_full_error(OSError(errno.EIO, "input/output"))
    assert not space.is_disk_full_error(FileNotFoundError("gone"))
    assert not space.is_disk_full_error(ValueError())
    assert not space.is_disk_full_error(None)


WRITER = """
import sys, django
django.setup()
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone
from swaps.storage import reserve
if sys.argv[1] == "with":
    reserve.refill_reserve(timezone.now())
    reserve.refill_reserve(timezone.now())
print("ready", flush=True)
sys.stdin.readline()
for _ in range(300):
    SessionStore().save()
print("written", flush=True)
"""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("how", "succeeds"), [("with", True), ("without", False)])
def test_sqlite_goes_on_writing_for_a_while(
    settings: Settings, tmp_path: Path, how: str, succeeds: bool
) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("SKIPPED: SQLite only")
    require("small-disk")
    with small_disk(32) as disk:
        copy = disk.root / "db.sqlite3"
        connection.cursor().execute("VACUUM INTO %s", [str(copy)])
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, how],
            cwd=site_settings.BASE_DIR,
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "faceswap_site.settings",
                "DATABASE_URL": f"sqlite:///{copy}",
                "FACESWAP_MIN_FREE_MB": "1",
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert writer.stdout
        assert writer.stdout.readline() == "ready\n"
        disk.fill()
        message, _ = writer.communicate("\n", timeout=30)
    assert (message == "written\n") is succeeds
