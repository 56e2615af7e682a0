"""``POST /face/tasks``, and what published clients make of its answers: contract, section 4."""

import time
import uuid
from typing import Any

from tests.conformance.bare_client import BareClient, state_of
from tests.conformance.conftest import Cast
from tests.conformance.operator import Operator
from tests.receiver import Receiver

Samples = tuple[str, str]
KNOWN_AT_ONCE = {"id", "type", "status", "created_at", "trace_id", "request"}
KNOWN_AT_THE_END = {"started_at", "finished_at", "elapsed", "response"}
FACE, TARGET = "face-woman-frontal.jpg", "face-man-frontal.jpg"


def test_an_asynchronous_call_answers_at_once_with_its_task(
    operator: Operator, alice: BareClient, samples: Samples
) -> None:
    with operator.site.resting_worker():
        answer = alice.swap(*samples, is_async=True)

    body = answer.json()
    assert answer.status_code == 200
    assert set(body) == {"success", "task_id", "trace_id"}
    assert body["success"] is True
    assert body["trace_id"] == answer.headers["x-trace-id"]


def test_a_task_in_the_queue_is_seen_as_running(
    operator: Operator, alice: BareClient, samples: Samples
) -> None:
    with operator.site.resting_worker():
        task = alice.task(alice.start(*samples))

    assert task["status"] == "queued"
    assert set(task) == KNOWN_AT_ONCE
    assert state_of(task) == "running"
    assert seen_without_status(task) == "succeeded"  # what the word at the top is for


def test_a_task_whose_pictures_are_on_the_way_is_seen_as_running(
    alice: BareClient, receiver: Receiver
) -> None:
    with receiver.slow_photos():
        task_id = alice.start(receiver.photo(FACE), receiver.photo(TARGET))
        deadline = time.monotonic() + 60
        while (task := alice.task(task_id))["status"] == "queued":
            assert time.monotonic() < deadline

    assert task["status"] == "processing"
    assert set(task) == KNOWN_AT_ONCE
    assert state_of(task) == "running"
    assert seen_without_status(task) == "succeeded"
    assert alice.finished(task_id)["status"] == "succeeded"


def test_a_task_that_succeeded_is_seen_as_such_and_carries_the_answer(
    alice: BareClient, samples: Samples
) -> None:
    body = {"source_image_url": samples[0], "target_image_url": samples[1], "async": True}
    asked_at = time.time()
    accepted = alice.post("/face/swap", body).json()

    task = alice.finished(accepted["task_id"])

    assert state_of(task) == "succeeded"
    assert set(task) == KNOWN_AT_ONCE | KNOWN_AT_THE_END
    assert (task["id"], task["type"]) == (accepted["task_id"], "face_swap")
    assert task["trace_id"] == accepted["trace_id"]
    assert task["request"] == body
    assert set(task["response"]) == {
        *("success", "task_id", "trace_id"),
        *("image_url", "image_width", "image_height", "image_size", "quality"),
    }
    times = [task[name] for name in ("created_at", "started_at", "finished_at")]
    assert all(isinstance(moment, float) for moment in times)
    assert asked_at - 1 < times[0] <= times[1] < times[2] < time.time() + 1
    assert abs(task["elapsed"] - (times[2] - times[1])) < 0.01


def test_a_task_that_failed_is_seen_as_such_and_says_why(alice: BareClient, faceless: str) -> None:
    task = alice.finished(alice.start(faceless, faceless))

    assert state_of(task) == "failed"
    assert set(task) == KNOWN_AT_ONCE | KNOWN_AT_THE_END
    assert set(task["response"]) == {"success", "task_id", "trace_id", "error"}
    assert task["response"]["success"] is False
    assert task["response"]["error"]["code"] == "no_face"


def test_task_id_is_another_name_for_id(alice: BareClient, samples: Samples) -> None:
    task_id = alice.swap(*samples).json()["task_id"]

    answers = [
        alice.post("/face/tasks", {name: task_id, "action": "retrieve"}).json()
        for name in ("id", "task_id")
    ]

    assert without_urls(answers[0]) == without_urls(answers[1])
    assert answers[0]["id"] == task_id


def test_several_tasks_are_asked_for_at_once(
    alice: BareClient, bob: BareClient, samples: Samples
) -> None:
    mine = [alice.start(*samples) for _ in range(2)]
    strange = [bob.start(*samples), str(uuid.uuid4()), "nonsense"]

    answer = alice.post("/face/tasks", {"ids": [*mine, *strange], "action": "retrieve_batch"})

    body = answer.json()
    assert answer.status_code == 200
    assert set(body) == {"items", "count"}
    assert body["count"] == 2
    assert {item["id"] for item in body["items"]} == set(mine)
    assert all(set(item) >= KNOWN_AT_ONCE for item in body["items"])


def test_a_task_of_somebody_else_is_like_one_that_never_was(
    alice: BareClient, bob: BareClient, samples: Samples
) -> None:
    of_alice = alice.start(*samples)

    answers = [
        bob.post("/face/tasks", {"id": task_id, "action": "retrieve"})
        for task_id in (of_alice, str(uuid.uuid4()), "nonsense")
    ]

    assert [answer.status_code for answer in answers] == [404] * 3
    bodies = [answer.json() for answer in answers]
    assert len({body.pop("trace_id") for body in bodies}) == 3
    assert bodies[0] == bodies[1] == bodies[2]
    assert bodies[0]["error"]["code"] == "not_found"


def test_swaps_made_in_the_browser_are_found_as_well(operator: Operator, cast: Cast) -> None:
    demo = BareClient(url=operator.site.url, key=cast.keys["demo"])

    tasks = [demo.finished(task_id) for task_id in cast.browser_swaps]

    assert len(tasks) == 3
    for task in tasks:
        assert set(task) == KNOWN_AT_ONCE | KNOWN_AT_THE_END
        assert set(task["request"]) == {"source_image_url", "target_image_url"}
        assert task["response"]["image_url"].startswith(operator.site.url)


def seen_without_status(task: dict[str, Any]) -> str:
    return state_of({name: value for name, value in task.items() if name != "status"})


def without_urls(task: dict[str, Any]) -> dict[str, Any]:
    """They are signed anew each time."""
    response = {name: value for name, value in task["response"].items() if name != "image_url"}
    return task | {"response": response}
