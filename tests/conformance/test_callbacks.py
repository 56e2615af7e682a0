"""Callbacks, as a receiver sees them: contract, section 3, and the Standard Webhooks."""

import json
import re
import time

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from tests.conformance.bare_client import BareClient
from tests.conformance.conftest import Cast
from tests.conformance.operator import Operator
from tests.receiver import Receiver, hangs, leads_to_itself, receiving, says

Samples = tuple[str, str]


def test_a_callback_brings_the_answer_signed(
    alice: BareClient, cast: Cast, receiver: Receiver, samples: Samples
) -> None:
    inbox = receiver.inbox()
    asked_for = alice.swap(*samples, callback_url=inbox.url)

    [callback] = inbox.wait_for(1)

    payload = Webhook(cast.secret).verify(callback.body, callback.headers)
    accepted = asked_for.json()
    assert set(accepted) == {"success", "task_id", "trace_id"}
    assert set(payload) == accepted.keys() | {
        "image_url",
        "image_width",
        "image_height",
        "image_size",
        "quality",
    }
    assert {name: payload[name] for name in accepted} == accepted
    assert callback.headers["content-type"] == "application/json"
    assert re.fullmatch("msg_[0-9a-f]{32}", callback.headers["webhook-id"])
    in_task = alice.task(accepted["task_id"])["response"]
    assert without_url(in_task) == without_url(payload)


def test_a_callback_that_was_tampered_with_is_noticed(
    alice: BareClient, cast: Cast, receiver: Receiver, samples: Samples
) -> None:
    inbox = receiver.inbox()
    alice.swap(*samples, callback_url=inbox.url)

    [callback] = inbox.wait_for(1)

    tampered = callback.body.replace(b'"success": true', b'"success": false')
    assert tampered != callback.body
    other_message = {**callback.headers, "webhook-id": "msg_1"}
    for body, headers in ((tampered, callback.headers), (callback.body, other_message)):
        with pytest.raises(WebhookVerificationError):
            Webhook(cast.secret).verify(body, headers)


def test_a_swap_that_fails_is_called_back_as_well(
    alice: BareClient, cast: Cast, receiver: Receiver
) -> None:
    inbox, before = receiver.inbox(), alice.quota()
    accepted = alice.swap(
        receiver.photo("face-woman-frontal.jpg"),
        receiver.photo("noface-cap-over-face.jpg"),
        callback_url=inbox.url,
    ).json()

    [callback] = inbox.wait_for(1)

    payload = Webhook(cast.secret).verify(callback.body, callback.headers)
    assert set(payload) == {"success", "task_id", "trace_id", "error"}
    assert payload["success"] is False
    assert (payload["task_id"], payload["trace_id"]) == (accepted["task_id"], accepted["trace_id"])
    assert set(payload["error"]) == {"code", "message"}
    assert payload["error"]["code"] == "no_face"
    assert alice.quota() == before


def test_a_receiver_that_fails_five_times_gets_it_once(
    operator: Operator, alice: BareClient, cast: Cast, fickle_port: int, samples: Samples
) -> None:
    with receiving(fickle_port) as receiver:
        inbox = receiver.inbox(says(500, b"out of order"), hangs)
        task_id = alice.start(*samples, callback_url=inbox.url)
        operator.wait_for_attempt(task_id, 1)
        operator.make_due(task_id)
        operator.wait_for_attempt(task_id, 2)
        received = list(inbox.received)
    operator.make_due(task_id)  # nobody listens
    operator.wait_for_attempt(task_id, 3)
    with receiving(fickle_port) as receiver:
        inbox = receiver.inbox(leads_to_itself, says(503))
        for number in (4, 5, 6):
            operator.make_due(task_id)
            operator.wait_for_attempt(task_id, number)
        received += inbox.received

    attempts = operator.attempts(task_id)
    assert [status for status, _ in attempts] == [500, None, None, 302, 503, 204]
    errors = [error for _, error in attempts]
    assert "500" in errors[0]
    assert "15 seconds" in errors[1]
    assert "connected" in errors[2]
    assert "redirects are not followed" in errors[3]
    assert "503" in errors[4]
    assert errors[5] == ""
    assert len(received) == 5  # of six, one met nobody; the redirect was not followed
    assert len({callback.headers["webhook-id"] for callback in received}) == 1
    for callback in received:
        payload = Webhook(cast.secret).verify(callback.body, callback.headers)
        assert payload["task_id"] == task_id


def test_a_receiver_that_says_410_is_left_alone_until_its_owner_replays(
    operator: Operator, alice: BareClient, cast: Cast, receiver: Receiver, samples: Samples
) -> None:
    inbox = receiver.inbox(says(410))
    task_id = alice.start(*samples, callback_url=inbox.url)
    operator.wait_for_attempt(task_id, 1)
    time.sleep(2.5)  # the clock looks every second
    assert len(inbox.received) == 1

    operator.replay(task_id)

    first, second = inbox.wait_for(2)
    operator.wait_for_attempt(task_id, 2)
    assert [status for status, _ in operator.attempts(task_id)] == [410, 204]
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert Webhook(cast.secret).verify(second.body, second.headers)["success"] is True


def test_what_was_delivered_can_be_replayed(
    operator: Operator, alice: BareClient, receiver: Receiver, samples: Samples
) -> None:
    inbox = receiver.inbox()
    task_id = alice.start(*samples, callback_url=inbox.url)
    operator.wait_for_attempt(task_id, 1)

    operator.replay(task_id)

    first, second = inbox.wait_for(2)
    assert without_url(json.loads(first.body)) == without_url(json.loads(second.body))


def test_a_courier_killed_while_it_delivers_loses_nothing(
    operator: Operator, alice: BareClient, cast: Cast, receiver: Receiver, samples: Samples
) -> None:
    inbox, before = receiver.inbox(hangs), alice.quota()
    task_id = alice.start(*samples, callback_url=inbox.url)
    inbox.wait_for(1)

    operator.wait_for_courier(operator.kill_courier())
    operator.end_lease(task_id)  # it would end within a minute

    first, second = inbox.wait_for(2)
    operator.wait_for_attempt(task_id, 2)
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert Webhook(cast.secret).verify(second.body, second.headers)["task_id"] == task_id
    assert alice.quota() == before - 1


def test_a_swap_that_ends_while_there_is_no_courier_is_called_back(
    operator: Operator, alice: BareClient, receiver: Receiver, samples: Samples
) -> None:
    inbox = receiver.inbox()

    with operator.site.resting_worker():
        task_id = alice.start(*samples, callback_url=inbox.url)
        killed = operator.kill_courier()
    alice.finished(task_id)
    operator.wait_for_courier(killed)

    [callback] = inbox.wait_for(1)
    assert json.loads(callback.body)["task_id"] == task_id


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/",
        "http://10.0.0.1/",
        "https://example.com:8443/",
        "ftp://a.example/",
        "",
    ],
)
def test_a_callback_url_that_may_not_be_called_is_refused(
    alice: BareClient, samples: Samples, url: str
) -> None:
    before = alice.quota()

    answer = alice.swap(*samples, callback_url=url)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_request")
    assert "callback_url" in answer.json()["error"]["message"]
    assert alice.quota() == before


def without_url(payload: dict[str, object]) -> dict[str, object]:
    """It is signed anew each time."""
    return {name: value for name, value in payload.items() if name != "image_url"}
