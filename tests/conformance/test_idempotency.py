"""Calls that are sent twice, and calls that come all at once: contract, section 6."""

import uuid
from collections import Counter

from tests.conformance.bare_client import BareClient
from tests.conformance.conftest import Cast
from tests.conformance.operator import Operator
from tests.receiver import Receiver

Samples = tuple[str, str]
FREE_SWAPS = 20


def new_key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid.uuid4())}


def test_the_same_key_gives_the_same_task_and_is_charged_once(
    alice: BareClient, samples: Samples
) -> None:
    key, before = new_key(), alice.quota()

    answers = [alice.swap(*samples, headers=key).json() for _ in range(3)]

    assert len({answer["task_id"] for answer in answers}) == 1
    assert len({answer["image_size"] for answer in answers}) == 1
    assert len({answer["trace_id"] for answer in answers}) == 3  # three calls
    assert alice.quota() == before - 1


def test_a_body_that_is_only_written_otherwise_is_the_same(
    alice: BareClient, samples: Samples
) -> None:
    key, body = new_key(), {"source_image_url": samples[0], "target_image_url": samples[1]}

    first = alice.post("/face/swap", {**body, "async": True}, key)
    second = alice.post("/face/swap", {"async": True, **dict(reversed(body.items()))}, key)

    assert second.status_code == 200, second.text
    assert second.json()["task_id"] == first.json()["task_id"]


def test_the_same_key_with_another_body_is_a_conflict(alice: BareClient, samples: Samples) -> None:
    key, (source, target) = new_key(), samples
    alice.swap(source, target, headers=key)
    before = alice.quota()

    answer = alice.swap(target, source, headers=key)

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "idempotency_conflict")
    assert alice.quota() == before


def test_a_key_of_somebody_else_means_nothing(
    alice: BareClient, bob: BareClient, samples: Samples
) -> None:
    key = new_key()

    tasks = [client.swap(*samples, headers=key).json()["task_id"] for client in (alice, bob)]

    assert tasks[0] != tasks[1]


def test_eight_calls_at_once_with_the_same_key_are_one_task(
    alice: BareClient, receiver: Receiver
) -> None:
    photos = receiver.photo("face-woman-frontal.jpg"), receiver.photo("face-man-frontal.jpg")
    key, before = new_key(), alice.quota()

    answers = alice.at_once(8, *photos, is_async=True, headers=key)

    assert [answer.status_code for answer in answers] == [200] * 8
    assert len({answer.json()["task_id"] for answer in answers}) == 1
    assert alice.quota() == before - 1
    assert alice.finished(answers[0].json()["task_id"])["status"] == "succeeded"


def test_of_a_hundred_calls_at_once_as_many_succeed_as_the_quota_allows(
    operator: Operator, cast: Cast, faceless: str
) -> None:
    thrifty = BareClient(url=operator.site.url, key=cast.keys["thrifty"])
    assert thrifty.quota() == FREE_SWAPS

    with operator.site.resting_worker():
        answers = thrifty.at_once(100, faceless, faceless, is_async=True)
        left = thrifty.quota()

    accepted = [answer for answer in answers if answer.status_code == 200]
    refused = [answer for answer in answers if answer.status_code == 403]
    assert Counter(answer.status_code for answer in answers) == {200: FREE_SWAPS, 403: 80}
    assert {answer.json()["error"]["code"] for answer in refused} == {"used_up"}
    assert {answer.headers["x-quota-remaining"] for answer in refused} == {"0"}
    assert len({answer.json()["task_id"] for answer in accepted}) == FREE_SWAPS
    assert left == 0

    for answer in accepted:  # none of them has a face: each is given back, once
        assert thrifty.finished(answer.json()["task_id"])["status"] == "failed"
    assert thrifty.quota() == FREE_SWAPS
