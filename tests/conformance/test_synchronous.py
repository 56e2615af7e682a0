"""A call that waits: contract, section 2."""

import io
import re
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import requests
from PIL import Image

from tests.conformance.bare_client import BareClient
from tests.conformance.conftest import CALLS_PER_MINUTE, WAITING_CALLS
from tests.conformance.operator import Operator
from tests.running import wait_until

Samples = tuple[str, str]


def test_a_call_answers_with_the_finished_picture(alice: BareClient, samples: Samples) -> None:
    answer = alice.swap(*samples)

    body = answer.json()
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert {name: type(value) for name, value in body.items()} == {
        "success": bool,
        "task_id": str,
        "trace_id": str,
        "image_url": str,
        "image_width": int,
        "image_height": int,
        "image_size": int,
        "quality": dict,
    }
    assert 0 <= body["quality"]["score"] <= 1
    assert isinstance(body["quality"]["warnings"], list)
    assert body["success"] is True
    assert str(uuid.UUID(body["task_id"])) == body["task_id"]
    assert re.fullmatch("[0-9a-f]{32}", body["trace_id"])


def test_the_picture_is_there_for_everybody_who_has_its_url(
    alice: BareClient, samples: Samples
) -> None:
    body = alice.swap(*samples).json()

    picture = requests.get(body["image_url"], timeout=60)

    assert picture.status_code == 200
    assert picture.headers["content-type"] == "image/jpeg"
    assert len(picture.content) == body["image_size"]
    with Image.open(io.BytesIO(picture.content)) as image:
        assert image.size == (body["image_width"], body["image_height"]) == (720, 720)


def test_the_answer_names_its_trace_and_what_is_left(alice: BareClient, samples: Samples) -> None:
    before = alice.quota()
    begun = time.time()

    answer = alice.swap(*samples)

    headers = answer.headers
    assert headers["x-trace-id"] == answer.json()["trace_id"]
    assert int(headers["x-ratelimit-limit"]) == CALLS_PER_MINUTE
    assert 0 < int(headers["x-ratelimit-remaining"]) < CALLS_PER_MINUTE
    assert begun <= int(headers["x-ratelimit-reset"]) <= time.time() + 60
    assert int(headers["x-quota-remaining"]) == before - 1


def test_the_trace_is_in_the_log(operator: Operator, alice: BareClient, samples: Samples) -> None:
    trace = alice.swap(*samples).headers["x-trace-id"]

    line = f"trace={trace} POST /face/swap status=200"
    assert wait_until(lambda: line in operator.site.read_log())  # it comes by way of a pipe
    payload = operator.site.read_log()
    assert payload.count(line) == 1
    assert alice.key not in payload


def test_a_call_that_outlasts_its_timeout_can_still_be_asked_for(
    operator: Operator, alice: BareClient, samples: Samples
) -> None:
    with operator.site.resting_worker():
        begun = time.monotonic()
        answer = alice.swap(*samples, timeout=0.5)
        seconds = time.monotonic() - begun

    body = answer.json()
    assert (answer.status_code, body["success"], body["error"]["code"]) == (504, False, "timeout")
    assert set(body) == {"success", "task_id", "trace_id", "error"}
    assert body["trace_id"] == answer.headers["x-trace-id"]
    assert 0.5 <= seconds < 30
    assert alice.finished(body["task_id"])["response"]["success"] is True


def test_too_many_waiting_calls_are_told_to_use_a_callback(
    operator: Operator, alice: BareClient, faceless: str
) -> None:
    calls = 2 * WAITING_CALLS + 3  # two web processes
    before = alice.quota()

    with ThreadPoolExecutor(calls) as pool, operator.site.resting_worker():
        made = [pool.submit(alice.swap, faceless, faceless) for _ in range(calls)]

        def are_all_there() -> bool:
            refused = sum(call.done() for call in made)
            return before - alice.quota() + refused == calls

        assert wait_until(are_all_there)
        left = alice.quota()
    answers = [call.result() for call in made]

    refused = [answer for answer in answers if answer.status_code == 429]
    waited = [answer for answer in answers if answer.status_code == 400]
    assert len(refused) >= 3
    assert len(refused) + len(waited) == calls
    for answer in refused:
        assert answer.json()["error"]["code"] == "too_many_requests"
        assert "callback_url" in answer.json()["error"]["message"]
        assert int(answer.headers["retry-after"]) > 0
    assert left == before - len(waited)
    assert alice.quota() == before  # none has a face
