"""Calls that ask for the faces of a picture: free, looked at once, forgotten soon."""

import datetime
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.conf import settings as site
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_tasks_db.models import DBTaskResult
from pytest_django import Settings
from standardwebhooks import Webhook

from swaps import errors, tasks
from swaps.clock import recovery, retention
from swaps.clock.stray_folders import sweep_folders
from swaps.deliveries import signing
from swaps.lifecycle import detect
from swaps.models import (
    AccountStorage,
    ApiAccess,
    Delivery,
    DeliveryStatus,
    Detection,
    Scope,
    Status,
    StrayFiles,
    User,
)
from swaps.models.detection import RETENTION
from tests.api_caller import SAMPLES, Caller, error_code
from tests.net_servers import answer as http_answer
from tests.net_servers import says, serving
from tests.pictures import data_url, picture
from tests.running import wait_until
from tests.swap_rows import later

SAMPLE = {"image_url": SAMPLES["target_image_url"]}
HOOK = "https://hooks.example.org/faces"


@pytest.fixture(autouse=True)
def _database(db: None) -> None:
    """All of these look at rows."""


def asked(caller: Caller, **more: Any) -> Detection:
    """A detection that an asynchronous call asked for."""
    answer = caller.post("/face/detect", {**SAMPLE, "async": True, **more})
    assert answer.status_code == 200, answer.json()
    return Detection.objects.get(pk=answer.json()["task_id"])


def looked_at(detection: Detection) -> Detection:
    tasks.detect_faces.call(str(detection.pk))
    detection.refresh_from_db()
    return detection


def task_of(caller: Caller, detection: Detection) -> dict[str, Any]:
    answer = caller.tasks({"id": str(detection.pk), "action": "retrieve"})
    assert answer.status_code == 200
    task: dict[str, Any] = answer.json()
    return task


def stored_files() -> list[str]:
    return [path.name for path in site.MEDIA_ROOT.rglob("*.*")]


def queued_tasks() -> list[str]:
    rows = DBTaskResult.objects.order_by("-priority", "enqueued_at")
    return [path.rpartition(".")[2] for path in rows.values_list("task_path", flat=True)]


# --- what is answered -----------------------------------------------------------------------


def test_the_faces_of_a_picture_are_found_and_the_picture_is_deleted(
    caller: Caller, django_capture_on_commit_callbacks: Any
) -> None:
    detection = asked(caller)
    assert stored_files()
    assert AccountStorage.objects.get().size == detection.stored_bytes > 0

    with django_capture_on_commit_callbacks(execute=True):
        looked_at(detection)

    found = task_of(caller, detection)
    face = found["response"]["faces"][0]
    assert (found["type"], found["status"]) == ("face_detect", "succeeded")
    assert (found["response"]["image_width"], found["response"]["image_height"]) == (720, 720)
    assert face["x"] < 0.5 < face["x"] + face["width"]
    assert set(face) >= {"y", "height", "yaw", "pitch", "roll", "sharpness", "advice"}
    assert (stored_files(), AccountStorage.objects.get().size) == ([], 0)
    assert ApiAccess.objects.get(user=caller.user).remaining == ApiAccess.free_swaps()


def test_an_unfinished_detection_says_so(caller: Caller) -> None:
    task = task_of(caller, asked(caller))
    assert task["status"] == "queued"
    assert task["request"] == {**SAMPLE, "async": True}
    assert "response" not in task


def test_a_picture_without_a_face_has_an_empty_list(caller: Caller) -> None:
    detection = looked_at(asked(caller, image_url=data_url(picture(size=(64, 48)))))
    response = task_of(caller, detection)["response"]
    assert (response["success"], response["faces"]) == (True, [])
    assert (response["image_width"], response["image_height"]) == (64, 48)


def test_a_free_call_does_not_pass_the_swaps_that_wait(caller: Caller) -> None:
    caller.swap()
    asked(caller)
    assert queued_tasks() == ["run_swap", "detect_faces"]


def test_swaps_and_detections_are_found_together_newest_first(
    caller: Caller, stranger: Caller
) -> None:
    swap = caller.swap().json()["task_id"]
    detection = str(asked(caller).pk)
    strangers = str(asked(stranger).pk)
    found = caller.tasks({"ids": [swap, strangers, detection], "action": "retrieve_batch"}).json()
    assert [task["id"] for task in found["items"]] == [detection, swap]
    assert [task["type"] for task in found["items"]] == ["face_detect", "face_swap"]
    assert caller.tasks({"id": strangers, "action": "retrieve"}).status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "image_url"),
        ({"image_url": 7}, "image_url"),
        ({"image_url": "http://127.0.0.1/face.jpg"}, "image_url"),
        ({"image_url": f"{site.SITE_URL}/files/forged/"}, "image_url"),
        ({**SAMPLE, "timeout": 0}, "timeout"),
        ({**SAMPLE, "callback_url": "ftp://example.org"}, "callback_url"),
    ],
)
def test_a_bad_call_is_told_which_field_is_wrong(
    caller: Caller, body: dict[str, Any], field: str
) -> None:
    answer = caller.post("/face/detect", body)
    assert (answer.status_code, error_code(answer)) == (400, "bad_request")
    assert field in answer.json()["error"]["message"]
    assert not Detection.objects.exists()


def test_what_is_no_picture_is_refused_at_once(caller: Caller) -> None:
    answer = caller.post("/face/detect", {"image_url": data_url(b"hello")})
    assert (answer.status_code, error_code(answer)) == (400, "invalid_image")
    assert answer.json()["error"]["message"].startswith("image_url is not a picture")


def test_a_key_for_tasks_alone_may_not_detect(alice: User) -> None:
    answer = Caller(alice, scope=Scope.TASKS).post("/face/detect", SAMPLE)
    assert (answer.status_code, error_code(answer)) == (400, "token_mismatched")


def test_the_rate_limit_counts_detections(caller: Caller, settings: Settings) -> None:
    settings.FACESWAP_API_CALLS_PER_MINUTE = 1
    asked(caller)
    answer = caller.post("/face/detect", SAMPLE)
    assert (answer.status_code, error_code(answer)) == (429, "too_many_requests")


def test_an_account_without_room_is_told_so(caller: Caller, settings: Settings) -> None:
    settings.FACESWAP_ACCOUNT_BYTES = 1000
    answer = caller.post("/face/detect", SAMPLE)
    assert (answer.status_code, error_code(answer)) == (403, "used_up")
    assert (stored_files(), Detection.objects.count()) == ([], 0)


@pytest.mark.django_db(transaction=True)
def test_a_call_that_waits_is_answered_with_the_faces(caller: Caller) -> None:
    def call() -> Any:
        try:
            return caller.post("/face/detect", SAMPLE)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(call)
        assert wait_until(Detection.objects.exists)
        looked_at(Detection.objects.get())
        answer = future.result(60)
    body = answer.json()
    assert answer.status_code == 200
    assert set(body) == {
        *("success", "task_id", "trace_id", "image_width", "image_height", "faces"),
    }
    assert len(body["faces"]) == 1


@pytest.mark.django_db(transaction=True)
def test_a_call_that_has_waited_long_enough_is_told_the_task(caller: Caller) -> None:
    answer = caller.post("/face/detect", {**SAMPLE, "timeout": 0.1})
    assert (answer.status_code, error_code(answer)) == (504, "timeout")
    assert Detection.objects.get().pk.hex == answer.json()["task_id"].replace("-", "")


# --- fetched --------------------------------------------------------------------------------


def fetched(caller: Caller, settings: Settings, body: bytes, status: int = 200) -> Detection:
    with serving(says(http_answer(body, status=status))) as server:
        settings.FACESWAP_FETCH_ALLOW = [f"127.0.0.1:{server.port}"]
        detection = asked(caller, image_url=f"http://127.0.0.1:{server.port}/face.jpg")
        assert queued_tasks() == ["fetch_detection"]
        tasks.fetch_detection.call(str(detection.pk))
    detection.refresh_from_db()
    return detection


def test_a_picture_elsewhere_is_fetched_first(caller: Caller, settings: Settings) -> None:
    detection = fetched(caller, settings, picture(size=(50, 40)))
    assert (detection.status, detection.attempts) == (Status.QUEUED, 0)
    assert AccountStorage.objects.get().size == detection.stored_bytes > 0
    assert not StrayFiles.objects.exists()
    assert "detect_faces" in queued_tasks()
    assert looked_at(detection).width == 50


@pytest.mark.parametrize(
    ("status", "body", "code"), [(404, b"", "bad_request"), (200, b"hello", "invalid_image")]
)
def test_a_picture_that_cannot_be_had_ends_it_with_an_error(
    caller: Caller, settings: Settings, status: int, body: bytes, code: str
) -> None:
    detection = fetched(caller, settings, body, status)
    response = task_of(caller, detection)["response"]
    assert (response["success"], response["error"]["code"]) == (False, code)
    assert response["error"]["message"].startswith("image_url ")


def test_a_fetch_that_comes_too_late_leaves_its_file_to_the_clock(
    caller: Caller, settings: Settings
) -> None:
    with serving(says(http_answer(picture()))) as server:
        settings.FACESWAP_FETCH_ALLOW = [f"127.0.0.1:{server.port}"]
        detection = asked(caller, image_url=f"http://127.0.0.1:{server.port}/face.jpg")
        assert detection.claim()
        slow = Detection.objects.get()
        detect.settle(detection, errors.ApiError("gave_up"))
        detect.fetch_photo(slow)
    assert stored_files()
    retention.sweep_stray(later(3700))
    assert (stored_files(), AccountStorage.objects.get().size) == ([], 0)


# --- its end --------------------------------------------------------------------------------


def test_the_faces_are_reported_to_the_callback(
    caller: Caller, as_alice: Client, as_staff: Client
) -> None:
    detection = looked_at(asked(caller, callback_url=HOOK))
    delivery = Delivery.objects.get()
    body = signing.payload(delivery.task)
    headers = signing.sign(delivery, body, timezone.now())
    secret = ApiAccess.objects.get(user=caller.user).callback_secret
    assert Webhook(secret).verify(body.decode(), headers)["faces"] == detection.faces
    assert delivery.task_id == detection.pk
    log = as_alice.get(reverse("swaps:deliveries")).content.decode()
    assert HOOK in log
    for client, url in (
        (as_alice, reverse("swaps:delivery", args=[delivery.pk])),
        (as_staff, reverse("admin:swaps_delivery_change", args=[delivery.pk])),
        (as_staff, f"{reverse('admin:swaps_delivery_changelist')}?q={detection.pk}"),
    ):
        page = client.get(url).content.decode()
        assert str(detection.pk) in page or "1 delivery" in page


def test_a_callback_is_posted_by_the_courier(caller: Caller) -> None:
    detection = asked(caller, callback_url=HOOK)
    detect.settle(detection, errors.InvalidImage("stored", reason={"code": "animated.file"}))
    payload = json.loads(signing.payload(Delivery.objects.get().task))
    assert payload["error"]["code"] == "invalid_image"
    assert payload["error"]["message"].startswith("image_url: It is an animation.")
    tasks.deliver_callback.call(str(Delivery.objects.get().pk))
    assert Delivery.objects.get().attempts_made == 1


def test_it_ends_once(caller: Caller) -> None:
    detection = looked_at(asked(caller, callback_url=HOOK))
    detect.settle(detection, errors.ApiError("gave_up"))
    detection.refresh_from_db()
    assert (detection.status, Delivery.objects.count()) == (Status.SUCCEEDED, 1)


def test_a_lost_task_is_enqueued_again(caller: Caller) -> None:
    asked(caller)
    DBTaskResult.objects.all().delete()
    recovery.recover_detections(later(site.FACESWAP_LEASE_SECONDS + 1))
    assert queued_tasks() == ["detect_faces"]


def test_an_attempt_that_was_cut_off_is_made_again_and_at_last_given_up(
    caller: Caller, django_capture_on_commit_callbacks: Any
) -> None:
    detection = asked(caller)
    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(site.FACESWAP_MAX_ATTEMPTS):
            assert detection.claim()
            recovery.recover_detections(later(site.FACESWAP_LEASE_SECONDS + 1))
    detection.refresh_from_db()
    assert (detection.status, detection.error_code) == (Status.FAILED, "api_error")
    assert (stored_files(), AccountStorage.objects.get().size) == ([], 0)


def test_a_detection_is_forgotten_after_a_while_unless_its_callback_is_due(caller: Caller) -> None:
    looked_at(asked(caller))
    waiting = looked_at(asked(caller, callback_url=HOOK))
    unfinished = asked(caller)
    retention.delete_old_detections(later(60))
    assert Detection.objects.count() == 3
    retention.delete_old_detections(timezone.now() + RETENTION)
    assert set(Detection.objects.all()) == {waiting, unfinished}
    Delivery.objects.update(status=DeliveryStatus.GIVEN_UP)
    retention.delete_old_detections(timezone.now() + RETENTION)
    assert set(Detection.objects.all()) == {unfinished}


def test_what_somebody_asked_before_the_address_was_confirmed_is_forgotten(caller: Caller) -> None:
    looked_at(asked(caller, callback_url=HOOK))
    User.objects.update(forget_swaps_before=later(1))
    retention.remove_unconfirmed_swaps(timezone.now())
    assert not Detection.objects.exists()
    assert not Delivery.objects.exists()


def test_the_picture_goes_with_the_account(
    caller: Caller, django_capture_on_commit_callbacks: Any
) -> None:
    asked(caller)
    with django_capture_on_commit_callbacks(execute=True):
        caller.user.delete()
    assert (stored_files(), Detection.objects.count()) == ([], 0)


def test_a_folder_on_disk_without_a_detection_is_swept(caller: Caller) -> None:
    detection = asked(caller)
    folder = site.MEDIA_ROOT / "detections" / str(detection.pk)
    orphan = site.MEDIA_ROOT / "detections" / "7a9c6a3e-3a52-4bb0-9f62-9d2f0a1c8c11"
    orphan.mkdir()
    (orphan / "photo-1.jpg").touch()
    User.objects.update(date_joined=timezone.now() - datetime.timedelta(days=1))
    sweep_folders([folder, orphan], later(7200))
    assert (folder.exists(), orphan.exists()) == (True, False)
