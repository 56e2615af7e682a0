"""The provider that other tests play does what it is told to; or they would prove nothing."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from tests.paths import PHOTOS
from tests.provider_server import (
    Behaviour,
    Posted,
    Provider,
    ReceivedCall,
    Reply,
    fails,
    is_mixed_from,
    refuses,
    running_provider,
)
from tests.receiver import Receiver, receiving, says

URL = "https://site.example/photo.jpg"


@pytest.fixture
def site() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def call(provider: Provider, callback_url: str = "", **headers: str) -> requests.Response:
    payload = {"source_image_url": URL, "target_image_url": URL, "callback_url": callback_url}
    return post(provider, "/face/swap", payload, **headers)


def post(provider: Provider, path: str, payload: object, **headers: str) -> requests.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.post(
        provider.url + path,
        json=payload,
        headers={"authorization": f"Bearer {provider.key}", **named},
        timeout=300,
    )


def bodies(site: Receiver) -> list[Any]:
    (inbox,) = site.inboxes.values()
    return [json.loads(received.body) for received in inbox.received]


def test_it_answers_works_and_calls_back(site: Receiver) -> None:
    with running_provider() as provider:
        answer = call(provider, site.inbox().url)
        assert provider.wait_for_callbacks(1) == [Posted(task_id=provider.task.id, status=204)]
        (body,) = bodies(site)
        assert answer.json()["task_id"] == body["task_id"] == provider.task.id
        assert requests.get(body["image_url"], timeout=60).content == provider.task.result
    assert provider.most_at_once == 1


def test_the_picture_shows_which_two_it_was_made_from() -> None:
    names = ["face-woman-frontal.jpg", "face-man-frontal.jpg", "face-man-beard-smile.jpg"]
    one, two, three = ((PHOTOS / name).read_bytes() for name in names)
    with running_provider(Behaviour(is_synchronous=True), fetches=True) as provider:
        payload = {
            "source_image_url": provider.serve_picture("1.jpg", one),
            "target_image_url": provider.serve_picture("2.jpg", two),
        }
        post(provider, "/face/swap", payload)
    assert is_mixed_from(provider.task.result, one, two)
    assert not is_mixed_from(provider.task.result, three, two)
    assert not is_mixed_from(provider.task.result, two, one)


def test_photos_that_cannot_be_fetched_fail_the_task(site: Receiver) -> None:
    with running_provider(fetches=True) as provider:
        payload = dict.fromkeys(
            ("source_image_url", "target_image_url"), f"{provider.url}/pictures/no"
        )
        post(provider, "/face/swap", payload | {"callback_url": site.inbox().url})
        provider.wait_for_callbacks(1)
    assert bodies(site)[0]["error"]["code"] == "bad_request"


def test_a_callback_is_repeated_delayed_lost_or_another(site: Receiver) -> None:
    behaviours = [
        Behaviour(callbacks=2),
        Behaviour(callbacks=0),
        Behaviour(callback_task_id="another"),
        Behaviour(callback_body=b'"garbage"'),
        Behaviour(callback_after=0.2),
    ]
    inbox = site.inbox()
    with running_provider(behaviours) as provider:
        begun = time.monotonic()
        ids = [call(provider, inbox.url).json()["task_id"] for _ in behaviours]
        posted = provider.wait_for_callbacks(5)
    assert time.monotonic() - begun >= 0.2
    assert sorted(one.task_id for one in posted) == sorted([ids[0], *ids[:1], *ids[2:]])
    told = [body["task_id"] for body in bodies(site) if isinstance(body, dict)]
    assert sorted(told) == sorted([ids[0], ids[0], "another", ids[4]])
    assert "garbage" in bodies(site)


def test_a_callback_may_be_faster_than_the_answer(site: Receiver) -> None:
    inbox = site.inbox()
    with running_provider(Behaviour(is_callback_first=True)) as provider:
        task_id = call(provider, inbox.url).json()["task_id"]
        assert [body["task_id"] for body in bodies(site)] == [task_id]


def test_what_the_receiver_answered_is_written_down(site: Receiver) -> None:
    with running_provider(Behaviour(callbacks=2)) as provider:
        call(provider, site.inbox(says(410)).url)
        assert [posted.status for posted in provider.wait_for_callbacks(2)] == [410, 204]
        assert provider.post_again(provider.task) == 204
        call(provider, "http://127.0.0.1:1/")
        assert provider.wait_for_callbacks(5)[-1].problem == "ConnectionError"


@pytest.mark.parametrize("error", [None, "no_face", ["no_face"], {"code": "no_face"}, ...])
def test_a_failure_is_spelled_as_it_is_told(error: Any, site: Receiver) -> None:
    with running_provider(Behaviour(fails=True, error=error)) as provider:
        call(provider, site.inbox().url)
        provider.wait_for_callbacks(1)
    (body,) = bodies(site)
    assert body["success"] is False
    assert body.get("error", ...) == error


def test_behaviours_are_taken_in_turn_and_then_it_is_good() -> None:
    turns = [
        refuses(503, "api_error"),
        refuses(429, "rate_limited", retry_after="3"),
        fails("no_face"),
    ]
    with running_provider(turns) as provider:
        answers = [call(provider) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [503, 429, 200, 200]
    assert answers[1].headers["retry-after"] == "3"
    assert [task.has_failed for task in provider.tasks.values()] == [True, False]


def test_a_behaviour_may_be_chosen_by_the_call() -> None:
    def twice_down(call: ReceivedCall) -> Behaviour:
        return refuses(503) if call.attempt < 2 else Behaviour()

    with running_provider(twice_down) as provider:
        keys = ["a", "a", "b", "a", "b", "b"]
        answers = [call(provider, idempotency_key=key).status_code for key in keys]
    assert answers == [503, 503, 503, 200, 503, 200]


def test_an_idempotency_key_is_honoured_or_not() -> None:
    with running_provider() as provider:
        ids = {call(provider, idempotency_key="a").json()["task_id"] for _ in range(2)}
        assert call(provider, "http://127.0.0.1:1/", idempotency_key="a").status_code == 409
    assert len(ids) == len(provider.tasks) == 1
    with running_provider(honours_idempotency=False) as provider:
        ids = {call(provider, idempotency_key="a").json()["task_id"] for _ in range(2)}
    assert len(ids) == len(provider.tasks) == 2


def test_it_wants_its_key() -> None:
    with running_provider() as provider:
        answer = call(provider, authorization="Bearer other")
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_token")
    assert provider.tasks == {}


def test_an_answer_breaks_off_where_it_is_told_to() -> None:
    turns = [Behaviour(reply=Reply(cut_at=0)), Behaviour(reply=Reply(cut_at=90), starts=False)]
    with running_provider(turns) as provider:
        for _ in turns:
            with pytest.raises(requests.RequestException):
                call(provider)
    assert len(provider.tasks) == 1


def test_two_hundred_tasks_are_worked_on_at_once(site: Receiver) -> None:
    inbox = site.inbox()
    with running_provider(Behaviour(works_for=1.0)) as provider, ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: call(provider, inbox.url).json(), range(200)))
        provider.wait_for_callbacks(200)
    assert {body["task_id"] for body in bodies(site)} == {answer["task_id"] for answer in answers}
    assert provider.most_at_once > 12
