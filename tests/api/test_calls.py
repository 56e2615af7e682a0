"""What becomes of a call: asynchronous, idempotent, charged once, named by URL or sent along."""

import datetime
import io
import threading
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace

import pytest
from django.conf import settings as site
from django.utils import timezone
from django_tasks_db.models import DBTaskResult
from PIL import Image
from pytest_django import Settings

from swaps import errors, storage, tasks
from swaps.lifecycle.settle import settle
from swaps.messages import TEXTS
from swaps.models import AccountStorage, ApiAccess, Door, IdempotencyKey, Status, Swap
from swaps.models.idempotency_key import RETENTION
from swaps.runtime.fair_share import MAX_AT_ONCE, try_acquire
from tests.api_caller import ASYNC, Caller, error_code
from tests.net_servers import Peer, says, serving
from tests.net_servers import answer as http_answer
from tests.pictures import data_url, picture
from tests.swap_rows import finished, finished_swap, queued_swap


@pytest.fixture(autouse=True)
def _database(db: None) -> None:
    """All of these look at rows."""


def swap_of(answer: object) -> Swap:
    return Swap.objects.get(pk=answer.json()["task_id"])  # type: ignore[attr-defined]


def queued_tasks() -> list[str]:
    return [
        path.rpartition(".")[2] for path in DBTaskResult.objects.values_list("task_path", flat=True)
    ]


# --- asynchronous ---------------------------------------------------------------------------


def test_an_asynchronous_call_is_answered_at_once_and_stands_in_the_history(caller: Caller) -> None:
    answer = caller.swap()
    body = answer.json()
    swap = swap_of(answer)
    assert answer.status_code == 200
    assert body == {"success": True, "task_id": str(swap.pk), "trace_id": answer["x-trace-id"]}
    assert (swap.status, swap.door, swap.owner) == (Status.QUEUED, Door.API, caller.user)
    assert swap in Swap.objects.visible_to(caller.user)
    assert queued_tasks() == ["run_swap"]


def test_samples_and_pictures_of_the_site_are_here_at_once(caller: Caller) -> None:
    own = storage.presigned_url(finished_swap(caller.user).result_key, 60)
    swap = swap_of(caller.swap({**ASYNC, "source_image_url": own}))
    assert swap.has_pictures
    assert storage.read(swap.source_key)[:2] == b"\xff\xd8"
    for copy in storage.copy_keys(swap.target_key):
        assert storage.read(copy)[:4] == b"RIFF"


def test_a_link_of_the_site_that_has_expired_is_refused(caller: Caller) -> None:
    own = storage.presigned_url(finished_swap(caller.user).result_key, 60)
    answer = caller.swap({**ASYNC, "source_image_url": own[:-9] + "AAAAAAAA/"})
    assert error_code(answer) == "bad_request"
    assert "expired" in answer.json()["error"]["message"]


def test_a_data_url_is_a_picture_and_is_not_kept_in_the_row(caller: Caller) -> None:
    url = data_url(picture(size=(64, 48)))
    swap = swap_of(caller.swap({**ASYNC, "target_image_url": url}))
    with Image.open(io.BytesIO(storage.read(swap.target_key))) as stored:
        assert stored.size == (64, 48)
    assert swap.request
    assert len(swap.request["target_image_url"]) < 50
    assert swap.request["source_image_url"] == ASYNC["source_image_url"]


@pytest.mark.parametrize("data", [b"", b"hello", b"<svg/>", picture()[:100], picture(format="GIF")])
def test_a_data_url_that_is_no_picture_is_an_invalid_image(caller: Caller, data: bytes) -> None:
    answer = caller.swap({**ASYNC, "target_image_url": data_url(data)})
    assert (answer.status_code, error_code(answer)) == (400, "invalid_image")
    assert "target_image_url" in answer.json()["error"]["message"]
    assert not Swap.objects.exists()


def test_other_pictures_are_fetched_in_the_background(caller: Caller) -> None:
    answer = caller.swap({**ASYNC, "source_image_url": "https://example.org/face.jpg"})
    swap = swap_of(answer)
    assert not swap.has_pictures
    assert swap.target_key
    assert queued_tasks() == ["fetch_pictures"]


def test_a_spent_quota_leaves_nothing_behind(caller: Caller) -> None:
    ApiAccess.objects.filter(user=caller.user).update(remaining=0)
    answer = caller.swap()
    assert (answer.status_code, error_code(answer)) == (403, "used_up")
    assert answer["x-quota-remaining"] == "0"
    assert not Swap.objects.exists()
    assert not list((site.MEDIA_ROOT / "swaps").rglob("*.*"))


# --- fetched in the background --------------------------------------------------------------


def test_a_fetched_picture_goes_on_to_the_engine(caller: Caller, settings: Settings) -> None:
    with serving(says(http_answer(picture(size=(50, 40))))) as server:
        settings.FACESWAP_FETCH_ALLOW = [f"127.0.0.1:{server.port}"]
        swap = swap_of(
            caller.swap({**ASYNC, "source_image_url": f"http://127.0.0.1:{server.port}/face.jpg"})
        )
        tasks.fetch_pictures.call(str(swap.pk))
    swap.refresh_from_db()
    assert (swap.status, swap.attempts) == (Status.QUEUED, 0)
    assert swap.has_pictures
    assert queued_tasks() == ["fetch_pictures", "run_swap"]
    tasks.fetch_pictures.call(str(swap.pk))
    assert queued_tasks() == ["fetch_pictures", "run_swap"]


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [(404, b"", "bad_request"), (200, b"hello", "invalid_image"), (500, b"", "bad_request")],
)
def test_a_picture_that_cannot_be_had_fails_the_swap_and_gives_it_back(
    caller: Caller, settings: Settings, status: int, body: bytes, code: str
) -> None:
    with serving(says(http_answer(body, status=status))) as server:
        settings.FACESWAP_FETCH_ALLOW = [f"127.0.0.1:{server.port}"]
        swap = swap_of(
            caller.swap({**ASYNC, "source_image_url": f"http://127.0.0.1:{server.port}/face.jpg"})
        )
        tasks.fetch_pictures.call(str(swap.pk))
    swap.refresh_from_db()
    assert (swap.status, swap.error_code, swap.error_image) == (Status.FAILED, code, "source")
    assert "source_image_url" in swap.error_text
    assert ApiAccess.objects.get_or_grant(caller.user).remaining == 20


def test_pictures_that_the_account_has_no_room_for_fail_the_swap_and_leave_nothing(
    caller: Caller, settings: Settings
) -> None:
    with serving(says(http_answer(picture(size=(50, 40))))) as server:
        settings.FACESWAP_FETCH_ALLOW = [f"127.0.0.1:{server.port}"]
        url = f"http://127.0.0.1:{server.port}/face.jpg"
        swap = swap_of(caller.swap({**ASYNC, "source_image_url": url}))
        taken = AccountStorage.objects.get(user=caller.user).size
        settings.FACESWAP_ACCOUNT_BYTES = taken + 10
        tasks.fetch_pictures.call(str(swap.pk))
    swap.refresh_from_db()
    assert (swap.status, swap.error_code) == (Status.FAILED, "used_up")
    assert "Delete swaps" in swap.error_text
    assert AccountStorage.objects.get(user=caller.user).size == taken
    assert not list((site.MEDIA_ROOT / "swaps").rglob("source*"))
    assert ApiAccess.objects.get_or_grant(caller.user).remaining == 20
    answer = caller.swap(ASYNC)
    assert (answer.status_code, error_code(answer)) == (403, "used_up")
    assert "Delete swaps" in answer.json()["error"]["message"]


def test_a_swap_without_its_pictures_is_not_handed_to_the_engine(caller: Caller) -> None:
    swap = swap_of(caller.swap({**ASYNC, "source_image_url": "https://example.org/face.jpg"}))
    tasks.run_swap.call(str(swap.pk))
    swap.refresh_from_db()
    assert swap.status == Status.QUEUED


def test_a_late_fetch_does_not_take_the_swap_from_the_engine(caller: Caller) -> None:
    swap = swap_of(caller.swap({**ASYNC, "source_image_url": "https://example.org/face.jpg"}))
    assert swap.claim()
    late = Swap.objects.get(pk=swap.pk)
    keys = {"source": f"swaps/{swap.pk}/source.jpg"}
    assert swap.requeue_with_pictures(keys, size=1)
    assert swap.claim()
    late.lock()
    assert not late.requeue_with_pictures(keys, size=1)
    assert late.status == Status.PROCESSING


def test_an_account_that_has_its_share_of_the_threads_waits_for_its_turn(caller: Caller) -> None:
    swap = swap_of(caller.swap({**ASYNC, "source_image_url": "https://example.org/face.jpg"}))
    with ExitStack() as stack:
        for _ in range(MAX_AT_ONCE):
            assert stack.enter_context(try_acquire(("fetch", caller.user.pk)))
        tasks.fetch_pictures.call(str(swap.pk))
    swap.refresh_from_db()
    assert (swap.status, swap.attempts) == (Status.QUEUED, 0)
    later = DBTaskResult.objects.filter(run_after__lte=timezone.now() + tasks.SHARE_PAUSE)
    assert [task.args_kwargs["args"] for task in later] == [[str(swap.pk)]]


def test_a_share_that_is_given_back_is_free_again() -> None:
    with ExitStack() as stack:
        given = [stack.enter_context(try_acquire("a")) for _ in range(MAX_AT_ONCE + 2)]
        assert stack.enter_context(try_acquire("b"))
    assert given == [True] * MAX_AT_ONCE + [False] * 2
    with try_acquire("a") as has_share:
        assert has_share


def test_two_slow_pictures_take_the_time_of_one(caller: Caller, settings: Settings) -> None:
    arrived = threading.Barrier(2)

    def slow(peer: Peer) -> None:
        arrived.wait(60)  # both are asked for before one is answered
        peer.send(http_answer(picture()))

    with serving(slow) as server:
        settings.FACESWAP_FETCH_ALLOW = [f"127.0.0.1:{server.port}"]
        url = f"http://127.0.0.1:{server.port}/"
        swap = swap_of(
            caller.swap({**ASYNC, "source_image_url": url + "a", "target_image_url": url + "b"})
        )
        tasks.fetch_pictures.call(str(swap.pk))
    swap.refresh_from_db()
    assert swap.has_pictures


def test_a_refused_second_picture_leaves_nothing_of_the_first(
    caller: Caller, settings: Settings
) -> None:
    good, bad = serving(says(http_answer(picture()))), serving(says(http_answer(b"hello")))
    with good, bad:
        settings.FACESWAP_FETCH_ALLOW = [f"127.0.0.1:{server.port}" for server in (good, bad)]
        urls = [f"http://127.0.0.1:{server.port}/a" for server in (good, bad)]
        asked = dict(zip(("source_image_url", "target_image_url"), urls, strict=True))
        swap = swap_of(caller.swap({**ASYNC, **asked}))
        tasks.fetch_pictures.call(str(swap.pk))
    swap.refresh_from_db()
    assert (swap.error_code, swap.error_image) == ("invalid_image", "target")
    assert not list((site.MEDIA_ROOT / "swaps").rglob("*.*"))


# --- idempotency ----------------------------------------------------------------------------


def test_the_same_key_gives_the_same_task_charged_once(caller: Caller) -> None:
    first, second = (caller.swap(idempotency_key="a") for _ in range(2))
    assert first.json()["task_id"] == second.json()["task_id"]
    assert second["x-quota-remaining"] == "19"
    assert Swap.objects.count() == 1


def test_the_same_key_with_another_body_is_a_conflict(caller: Caller) -> None:
    caller.swap(idempotency_key="a")
    answer = caller.swap({**ASYNC, "timeout": 5}, idempotency_key="a")
    assert (answer.status_code, error_code(answer)) == (409, "idempotency_conflict")


def test_the_order_of_the_fields_and_unknown_ones_make_no_other_body(caller: Caller) -> None:
    first = caller.swap(idempotency_key="a")
    again = caller.swap({"new": 1, **dict(reversed(ASYNC.items()))}, idempotency_key="a")
    assert again.json()["task_id"] == first.json()["task_id"]


def test_keys_of_accounts_do_not_meet(caller: Caller, stranger: Caller) -> None:
    mine, theirs = caller.swap(idempotency_key="a"), stranger.swap(idempotency_key="a")
    assert mine.json()["task_id"] != theirs.json()["task_id"]


def test_a_call_that_was_refused_may_use_its_key_again(caller: Caller) -> None:
    ApiAccess.objects.filter(user=caller.user).update(remaining=0)
    assert error_code(caller.swap(idempotency_key="a")) == "used_up"
    ApiAccess.objects.filter(user=caller.user).update(remaining=1)
    assert caller.swap(idempotency_key="a").status_code == 200


def test_a_key_is_forgotten_after_a_day(caller: Caller) -> None:
    caller.swap(idempotency_key="a")
    IdempotencyKey.objects.update(created_at=timezone.now() - RETENTION)
    answer = caller.swap({**ASYNC, "timeout": 5}, idempotency_key="a")
    assert answer.status_code == 200
    assert Swap.objects.count() == 2


@pytest.mark.parametrize("key", ["a" * 256, "a\tb", "é\x85"])
def test_a_strange_idempotency_key_is_refused(caller: Caller, key: str) -> None:
    assert error_code(caller.swap(idempotency_key=key)) == "bad_request"


# --- asking for tasks -----------------------------------------------------------------------


def test_an_unfinished_task_says_so_at_the_top_and_no_more(caller: Caller) -> None:
    swap = swap_of(caller.swap())
    body = caller.tasks({"id": str(swap.pk), "action": "retrieve"}).json()
    assert body == {
        "id": str(swap.pk),
        "type": "face_swap",
        "status": "queued",
        "created_at": swap.created_at.timestamp(),
        "trace_id": swap.trace_id,
        "request": ASYNC,
    }


def test_a_finished_task_carries_what_a_callback_would(caller: Caller) -> None:
    swap = swap_of(caller.swap())
    assert swap.claim()
    settle(swap, finished())
    body = caller.tasks({"task_id": str(swap.pk), "action": "retrieve"}).json()
    response = body["response"]
    assert response.pop("image_url").startswith(f"{site.SITE_URL}/files/")
    assert response == {
        "success": True,
        "task_id": str(swap.pk),
        "trace_id": swap.trace_id,
        "image_width": 40,
        "image_height": 30,
        "image_size": swap.size,
        "quality": {"score": 0.457, "warnings": ["yaw"]},
    }
    assert body["started_at"] <= body["finished_at"]
    assert body["elapsed"] == pytest.approx(body["finished_at"] - body["started_at"], abs=1e-3)


def test_where_a_provider_made_the_picture_its_quality_is_not_told(caller: Caller) -> None:
    swap = swap_of(caller.swap())
    assert swap.claim()
    settle(swap, replace(finished(), score=None, warnings=()))
    body = caller.tasks({"id": str(swap.pk), "action": "retrieve"}).json()
    assert "quality" not in body["response"]


def test_a_failed_task_says_why(caller: Caller) -> None:
    swap = swap_of(caller.swap())
    settle(swap, errors.NoFace("source", image="source"))
    body = caller.tasks({"id": str(swap.pk), "action": "retrieve"}).json()
    assert body["status"] == "failed"
    assert body["response"]["success"] is False
    payload = {"code": "no_face", "message": f"source_image_url: {TEXTS['no_face.source']}"}
    assert body["response"]["error"] == payload


def test_swaps_of_the_browser_are_tasks_as_well(caller: Caller) -> None:
    swap = finished_swap(caller.user)
    body = caller.tasks({"id": str(swap.pk), "action": "retrieve"}).json()
    assert set(body["request"]) == {"source_image_url", "target_image_url"}
    assert body["response"]["image_url"]


def test_a_task_of_somebody_else_is_not_found_as_one_that_never_was(
    caller: Caller, stranger: Caller
) -> None:
    mine = queued_swap(caller.user)
    answers = [
        stranger.tasks({"id": one, "action": "retrieve"})
        for one in (str(mine.pk), str(uuid.uuid4()), "nonsense")
    ]
    assert {(answer.status_code, error_code(answer)) for answer in answers} == {(404, "not_found")}
    assert len({answer.json()["error"]["message"] for answer in answers}) == 1


def test_many_tasks_are_asked_for_at_once(
    caller: Caller, stranger: Caller, django_assert_max_num_queries: Callable[..., object]
) -> None:
    mine = [str(queued_swap(caller.user).pk) for _ in range(5)]
    theirs = str(queued_swap(stranger.user).pk)
    caller.tasks({"ids": [], "action": "retrieve_batch"})
    with django_assert_max_num_queries(9):  # type: ignore[attr-defined]
        body = caller.tasks({"ids": [*mine, theirs, "x"], "action": "retrieve_batch"}).json()
    assert body["count"] == 5
    assert {item["id"] for item in body["items"]} == set(mine)


@pytest.mark.parametrize("change", [{"status": Status.REMOVED}, {"is_hidden": True}])
def test_what_is_removed_or_hidden_is_not_found(caller: Caller, change: dict[str, object]) -> None:
    swap = finished_swap(caller.user)
    Swap.objects.filter(pk=swap.pk).update(**change)
    assert error_code(caller.tasks({"id": str(swap.pk), "action": "retrieve"})) == "not_found"


def test_the_clock_forgets_old_idempotency_keys(caller: Caller) -> None:
    from swaps.clock.retention import delete_expired_forms

    caller.swap(idempotency_key="a")
    delete_expired_forms(timezone.now())
    assert IdempotencyKey.objects.exists()
    delete_expired_forms(timezone.now() + datetime.timedelta(hours=25))
    assert not IdempotencyKey.objects.exists()
