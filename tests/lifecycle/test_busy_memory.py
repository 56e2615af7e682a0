"""What becomes of forms, calls and swaps while others have the memory, and of too many forms."""

import datetime
import time
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_tasks_db.models import DBTaskResult
from pytest_django import Settings

from swaps import tasks
from swaps.images import budget
from swaps.models import ApiAccess, CallCount, FormCount, Quota, Status, Swap, Upload, User
from tests.api_caller import ASYNC, Caller, error_code
from tests.net_servers import answer as http_answer
from tests.net_servers import says, serving
from tests.pictures import data_url, file, picture, webp_bomb
from tests.swap_rows import finished_swap, queued_swap

pytestmark = pytest.mark.django_db
NEW = "/swaps/new/"


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "WAIT_SECONDS", 0.1)


@pytest.fixture
def _nothing_left(settings: Settings) -> Any:
    settings.FACESWAP_DECODE_BYTES = 2 * budget.SLOT_BYTES
    with budget.reserve(settings.FACESWAP_DECODE_BYTES, who="somebody else"):
        yield


def in_one_minute() -> None:
    while timezone.now().second >= 55:
        time.sleep(0.1)


# --- No memory ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("_nothing_left")
def test_a_form_that_waited_in_vain_says_so_and_keeps_what_it_can(
    as_alice: Client, alice: User
) -> None:
    old = finished_swap(alice)
    spent = Quota.objects.get_or_grant(alice).spent
    answer = as_alice.post(
        NEW, {"source_photo": f"swap.{old.pk}", "target_image": file(), "consent": "on"}
    )
    page = answer.content.decode()
    assert (answer.status_code, answer["Retry-After"]) == (503, "10")
    assert "The target photo could not be opened. Too many pictures are being opened" in page
    assert f'value="swap.{old.pk}"' in page
    assert " checked" in page
    assert Quota.objects.get_or_grant(alice).spent == spent
    assert Swap.objects.count() == 1


@pytest.mark.usefixtures("_nothing_left")
def test_a_call_that_waited_in_vain_may_come_again_and_nothing_is_spent(alice: User) -> None:
    caller = Caller(alice)
    answer = caller.swap({**ASYNC, "source_image_url": data_url(picture())})
    assert (answer.status_code, error_code(answer), answer["Retry-After"]) == (
        503,
        "api_error",
        "10",
    )
    assert ApiAccess.objects.get_or_grant(alice).spent == 0
    assert not Swap.objects.exists()


@pytest.mark.usefixtures("_nothing_left")
def test_the_playground_says_so_too(as_alice: Client) -> None:
    answer = as_alice.post("/docs/api/uploads/", {"name": "source", "picture": file()})
    assert "Too many pictures" in as_alice.get(answer["Location"]).content.decode()


def test_a_swap_without_memory_to_open_its_photos_goes_back_to_the_queue_uncounted(
    alice: User, settings: Settings
) -> None:
    swap = queued_swap(alice)
    settings.FACESWAP_DECODE_BYTES = 2 * budget.SLOT_BYTES
    with budget.reserve(settings.FACESWAP_DECODE_BYTES, who="somebody else"):
        tasks.run_swap.call(str(swap.pk))
    swap.refresh_from_db()
    assert (swap.status, swap.attempts, swap.lease_expires_at) == (Status.QUEUED, 0, None)
    soon = timezone.now() + datetime.timedelta(seconds=budget.RETRY_SECONDS)
    later = DBTaskResult.objects.filter(run_after__lte=soon)
    assert [task.task_path for task in later] == ["swaps.tasks.run_swap"]


@pytest.mark.parametrize("max_waiting", [1, 0])  # it waits in vain, or too many wait already
def test_a_fetch_without_memory_to_open_the_picture_is_done_later(
    alice: User, settings: Settings, monkeypatch: pytest.MonkeyPatch, max_waiting: int
) -> None:
    monkeypatch.setattr(budget, "MAX_WAITING", max_waiting)
    with serving(says(http_answer(picture()))) as server:
        settings.FACESWAP_FETCH_ALLOW = [f"127.0.0.1:{server.port}"]
        url = f"http://127.0.0.1:{server.port}/face.jpg"
        task_id = Caller(alice).swap({**ASYNC, "source_image_url": url}).json()["task_id"]
        settings.FACESWAP_DECODE_BYTES = 2 * budget.SLOT_BYTES
        with budget.reserve(settings.FACESWAP_DECODE_BYTES, who="somebody else"):
            tasks.fetch_pictures.call(task_id)
        swap = Swap.objects.get(pk=task_id)
        assert (swap.status, swap.attempts, swap.has_pictures) == (Status.QUEUED, 0, False)
        tasks.fetch_pictures.call(task_id)
    swap.refresh_from_db()
    assert swap.has_pictures


def test_a_download_in_another_format_waits_for_memory_as_well(
    as_alice: Client, alice: User, settings: Settings
) -> None:
    swap = finished_swap(alice)
    url = f"{reverse('swaps:result', args=[swap.pk])}?download="
    settings.FACESWAP_DECODE_BYTES = 2 * budget.SLOT_BYTES
    with budget.reserve(settings.FACESWAP_DECODE_BYTES, who="somebody else"):
        answer = as_alice.get(f"{url}webp")
        assert (answer.status_code, answer["Retry-After"]) == (503, "10")
        assert as_alice.get(f"{url}jpeg").status_code == 200  # as it is stored
    assert as_alice.get(f"{url}webp").status_code == 200


# --- Too many forms -------------------------------------------------------------------------------


def test_forms_are_counted_before_their_photos_are_opened(
    as_alice: Client, as_charlie: Client, alice: User, settings: Settings
) -> None:
    settings.FACESWAP_FORMS_PER_MINUTE = 2
    old = finished_swap(alice)
    in_one_minute()
    unpaid = {"source_image": b"no picture", "target_image": b"neither"}
    for _ in range(2):
        files = {name: file(data) for name, data in unpaid.items()}
        assert as_alice.post(NEW, files).status_code == 422
    answer = as_alice.post(
        NEW, {"source_image": file(), "target_photo": f"swap.{old.pk}", "consent": "on"}
    )
    page = answer.content.decode()
    assert answer.status_code == 429
    assert 1 <= int(answer["Retry-After"]) <= 60
    assert "An account may send 2 forms a minute. Try again in" in page
    assert f'value="swap.{old.pk}"' in page
    assert " checked" in page
    assert not Upload.objects.exists()  # the good one was not looked at
    assert Swap.objects.count() == 1
    assert FormCount.objects.get(user=alice).count == 2
    other = as_charlie.post(NEW, {"source_image": file(), "target_image": file(), "consent": "on"})
    assert other.status_code == 302


def test_pictures_of_the_playground_count_as_forms(as_alice: Client, settings: Settings) -> None:
    settings.FACESWAP_FORMS_PER_MINUTE = 1
    in_one_minute()
    answers = [
        as_alice.post("/docs/api/uploads/", {"name": "source", "picture": file()}) for _ in range(2)
    ]
    assert "may send 1 pictures a minute" in as_alice.get(answers[1]["Location"]).content.decode()
    assert Upload.objects.count() == 1


def test_calls_are_counted_before_their_pictures_are_opened(
    alice: User, settings: Settings
) -> None:
    settings.FACESWAP_API_CALLS_PER_MINUTE = 1
    in_one_minute()
    caller = Caller(alice)
    body = {**ASYNC, "source_image_url": data_url(b"no picture")}
    codes = [error_code(caller.swap(body)) for _ in range(2)]
    assert codes == ["invalid_image", "too_many_requests"]
    assert CallCount.objects.get(user=alice).count == 1


def test_a_bomb_of_38_bytes_is_refused_in_words(as_alice: Client) -> None:
    answer = as_alice.post(NEW, {"source_image": file(webp_bomb()), "target_image": file()})
    assert answer.status_code == 422
    assert "It says that it is 8,000 × 6,250 pixels" in answer.content.decode()
