"""Callbacks: signed, repeated until they are taken, written down, lost by no crash."""

import datetime
import json
from http.client import parse_headers
from io import BytesIO
from typing import Any

import pytest
from django.conf import settings as site
from django.test import Client
from django.utils import timezone
from django_tasks_db.models import DBTaskResult
from pytest_django import Settings
from standardwebhooks import Webhook, WebhookVerificationError

from swaps import errors, tasks
from swaps.clock.recovery import enqueue_deliveries
from swaps.clock.retention import delete_expired_logs
from swaps.deliveries import deliver, inspector, signing
from swaps.lifecycle.remove import remove_swap
from swaps.lifecycle.settle import settle
from swaps.messages import TEXTS
from swaps.models import (
    ApiAccess,
    Delivery,
    DeliveryAttempt,
    DeliveryStatus,
    InspectedCallback,
    Swap,
    User,
)
from swaps.models.delivery import LEASE, MAX_ATTEMPTS, PAUSES, backoff
from tests.api_caller import SAMPLES, Caller
from tests.net_servers import Server, leads_to, says, serving
from tests.net_servers import answer as http_answer
from tests.swap_rows import finished

pytestmark = pytest.mark.django_db
HOOK = "https://example.org/hook"


def ended(caller: Caller, callback_url: str, outcome: Any = None) -> Delivery:
    """A swap that was asked for with this callback and has ended; its delivery."""
    caller.swap({**SAMPLES, "callback_url": HOOK})
    swap = Swap.objects.newest_first()[0]
    Swap.objects.filter(pk=swap.pk).update(callback_url=callback_url)
    swap.refresh_from_db()
    assert swap.claim()
    settle(swap, outcome or finished())
    return swap.delivery


def attempt(delivery: Delivery, now: datetime.datetime | None = None) -> Delivery:
    """One attempt; ``now`` stands for the time until it is due."""
    delivery = Delivery.objects.select_related("swap").get(pk=delivery.pk)
    deliver.attempt_delivery(delivery, now or delivery.next_attempt_at or timezone.now())
    delivery.refresh_from_db()
    return delivery


def allow(settings: Settings, server: Server) -> str:
    settings.FACESWAP_FETCH_ALLOW = [f"127.0.0.1:{server.port}"]
    return f"http://127.0.0.1:{server.port}/hook"


def read(request: bytes) -> tuple[dict[str, str], bytes]:
    """Headers and body of a request as it came over the wire."""
    head, _, body = request.partition(b"\r\n\r\n")
    lines = head.partition(b"\r\n")[2] + b"\r\n\r\n"
    return {name.lower(): value for name, value in parse_headers(BytesIO(lines)).items()}, body


def enqueued() -> list[str]:
    found = DBTaskResult.objects.filter(queue_name="deliveries")
    return [args["args"][0] for args in found.values_list("args_kwargs", flat=True)]


# --- what is sent ---------------------------------------------------------------------------


def test_a_callback_is_signed_and_carries_what_a_synchronous_answer_would(
    caller: Caller, settings: Settings
) -> None:
    with serving(says(http_answer(b"thanks"))) as server:
        delivery = attempt(ended(caller, allow(settings, server)))
        headers, body = read(server.requests[0])

    secret = ApiAccess.objects.get_or_grant(caller.user).callback_secret
    reply = Webhook(secret).verify(body, headers)
    assert reply["success"] is True
    assert reply["task_id"] == str(delivery.swap_id)
    assert {"image_url", "image_width", "image_height", "image_size", "trace_id"} < set(reply)
    assert headers["webhook-id"] == delivery.message_id
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body.replace(b"true", b"True"), headers)
    assert (delivery.status, delivery.last_status) == (DeliveryStatus.DELIVERED, 200)
    assert delivery.response_excerpt == "thanks"
    assert delivery.delivered_at


def test_a_failure_is_reported_with_its_error(caller: Caller) -> None:
    delivery = ended(caller, HOOK, errors.NoFace("source", image="source"))
    reply = json.loads(signing.payload(delivery.task))
    assert reply["success"] is False
    message = f"source_image_url: {TEXTS['no_face.source']}"
    assert reply["error"] == {"code": "no_face", "message": message}


def test_a_swap_without_callback_has_no_delivery(caller: Caller) -> None:
    caller.swap()
    swap = Swap.objects.get()
    assert swap.claim()
    settle(swap, finished())
    assert not Delivery.objects.exists()


def test_a_swap_removed_before_its_end_is_reported_as_gone(caller: Caller) -> None:
    caller.swap({**SAMPLES, "callback_url": HOOK})
    swap = Swap.objects.get()
    remove_swap(swap)
    reply = json.loads(signing.payload(swap.delivery.task))
    assert reply["error"]["code"] == "not_found"
    assert ApiAccess.objects.get_or_grant(caller.user).remaining == 20


def test_what_staff_hid_is_not_handed_out(caller: Caller) -> None:
    delivery = ended(caller, HOOK)
    Swap.objects.update(is_hidden=True)
    delivery.task.refresh_from_db()
    reply = json.loads(signing.payload(delivery.task))
    assert reply["error"]["code"] == "forbidden"
    assert "image_url" not in reply


def test_after_a_rotation_both_secrets_sign_for_a_day(caller: Caller) -> None:
    delivery, now = ended(caller, HOOK), timezone.now()
    access = ApiAccess.objects.get_or_grant(caller.user)
    old = access.callback_secret
    access.rotate_secret(now)
    assert access.callback_secret != old
    body = signing.payload(delivery.task)
    for secret in (old, access.callback_secret):
        Webhook(secret).verify(body, signing.sign(delivery, body, now))
    later = signing.sign(delivery, body, now + datetime.timedelta(hours=25))
    assert len(later["webhook-signature"].split()) == 1


# --- attempts -------------------------------------------------------------------------------


def test_five_failures_and_then_success_are_one_delivery_with_six_attempts(
    caller: Caller, settings: Settings
) -> None:
    answers = (
        http_answer(status=500),
        b"",  # closed without an answer
        http_answer(status=302, head="Location: https://example.org/\r\n"),
        http_answer(status=404),
        http_answer(status=503),
        http_answer(),
    )
    with serving(says(*answers)) as server:
        delivery = ended(caller, allow(settings, server))
        for _ in answers:
            delivery = attempt(delivery)
        assert server.seen == 6
        ids = {read(request)[0]["webhook-id"] for request in server.requests}

    assert ids == {delivery.message_id}
    assert (delivery.status, delivery.failures, delivery.attempts_made) == ("delivered", 5, 6)
    statuses = delivery.attempts.order_by("started_at").values_list("status", flat=True)
    assert list(statuses) == [500, None, 302, 404, 503, 200]
    assert all(row.error_text for row in delivery.attempts.order_by("started_at")[:5])


def test_redirects_are_not_followed(caller: Caller, settings: Settings) -> None:
    with serving(says(http_answer())) as other, serving(leads_to("http://a.example/")) as server:
        delivery = attempt(ended(caller, allow(settings, server)))
        assert other.seen == 0
    assert "redirects are not followed" in delivery.error_text
    assert delivery.is_pending


def test_a_receiver_that_says_gone_is_left_alone(caller: Caller, settings: Settings) -> None:
    with serving(says(http_answer(status=410))) as server:
        delivery = attempt(ended(caller, allow(settings, server)))
    assert (delivery.status, delivery.next_attempt_at) == (DeliveryStatus.GONE, None)


def test_a_private_address_is_never_asked(caller: Caller) -> None:
    with serving(says(http_answer())) as server:
        delivery = attempt(ended(caller, f"http://localhost:{server.port}/hook"))
        assert server.seen == 0
    assert delivery.is_pending
    assert delivery.last_status is None
    assert delivery.error_text


def test_attempts_go_on_for_more_than_a_day_and_then_end(caller: Caller) -> None:
    delivery = ended(caller, "http://127.0.0.1:9/hook")
    begun = delivery.next_attempt_at
    assert begun
    moments = []
    while delivery.next_attempt_at:
        moments.append(delivery.next_attempt_at)
        delivery = attempt(delivery)
    assert delivery.status == DeliveryStatus.GIVEN_UP
    assert len(moments) == len(PAUSES) + 1 == delivery.attempts_made
    assert datetime.timedelta(hours=24) < moments[-1] - begun < datetime.timedelta(hours=36)


def test_an_attempt_that_ends_after_a_replay_does_not_undo_it(caller: Caller) -> None:
    delivery = ended(caller, HOOK)
    now = timezone.now()
    Delivery.objects.update(failures=len(PAUSES))
    assert delivery.claim(now)  # the last attempt, which hangs …
    late, just_as_late = Delivery.objects.get(), Delivery.objects.get()
    assert not delivery.replay(now)
    later = now + 2 * LEASE
    assert delivery.replay(later)  # … until its lease is over
    late.postpone(later, error_params={"code": "delivery.gone"})
    just_as_late.end(DeliveryStatus.GONE)
    assert (late.status, late.failures, late.error_text) == (DeliveryStatus.PENDING, 0, "")
    assert delivery.claim(later)
    delivery.end(DeliveryStatus.DELIVERED)
    assert delivery.status == DeliveryStatus.DELIVERED


def test_of_endless_replays_the_newest_attempts_are_kept(caller: Caller) -> None:
    delivery = ended(caller, inspector.inspector_url(caller.user))
    now = timezone.now()
    DeliveryAttempt.objects.bulk_create(
        DeliveryAttempt(delivery=delivery, started_at=now - LEASE, seconds=1)
        for _ in range(MAX_ATTEMPTS + 5)
    )
    Delivery.objects.update(attempts_made=MAX_ATTEMPTS + 5)
    attempt(delivery)
    assert delivery.attempts.count() == MAX_ATTEMPTS
    assert delivery.attempts.order_by("-started_at")[0].status == 204


def test_a_delivery_that_breaks_on_our_side_is_written_down_and_postponed(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(_swap: Swap) -> bytes:
        raise RuntimeError

    monkeypatch.setattr(deliver, "payload", breaks)
    delivery = attempt(ended(caller, HOOK))
    assert delivery.is_pending
    assert (delivery.failures, delivery.error_text) == (1, "Something broke on our side.")


def test_while_no_courier_comes_tasks_do_not_pile_up(caller: Caller) -> None:
    ended(caller, HOOK)
    now = timezone.now()
    for minute in range(60):
        enqueue_deliveries(now + datetime.timedelta(minutes=minute))
    assert len(enqueued()) < 10


def test_the_log_is_kept_for_ninety_days(caller: Caller) -> None:
    delivery = ended(caller, HOOK)
    delivery.end(DeliveryStatus.DELIVERED)
    Delivery.objects.update(status=DeliveryStatus.DELIVERED)
    delete_expired_logs(timezone.now() + datetime.timedelta(days=89))
    assert Delivery.objects.exists()
    delete_expired_logs(timezone.now() + datetime.timedelta(days=91))
    assert not Delivery.objects.exists()
    assert Swap.objects.exists()


def test_pauses_are_not_all_the_same_length() -> None:
    pauses = {backoff(3) for _ in range(20)}
    assert len(pauses) > 10
    assert backoff(len(PAUSES) + 1) is None


def test_an_attempt_is_made_once_however_often_it_is_enqueued(
    caller: Caller, settings: Settings
) -> None:
    with serving(says(http_answer())) as server:
        delivery = ended(caller, allow(settings, server))
        for _ in range(3):
            tasks.deliver_callback.call(str(delivery.pk))
        assert server.seen == 1
    assert DeliveryAttempt.objects.count() == 1


def test_a_replay_delivers_once_more(caller: Caller, settings: Settings) -> None:
    with serving(says(http_answer())) as server:
        delivery = attempt(ended(caller, allow(settings, server)))
        assert deliver.replay(delivery)
        assert not deliver.replay(delivery)
        delivery = attempt(delivery)
        first, second = (read(request)[0]["webhook-id"] for request in server.requests)
    assert first == second
    assert (delivery.status, delivery.attempts_made) == (DeliveryStatus.DELIVERED, 2)


# --- crashes --------------------------------------------------------------------------------


def test_the_delivery_is_made_and_enqueued_with_the_end_of_the_swap(caller: Caller) -> None:
    delivery = ended(caller, HOOK)
    assert enqueued() == [str(delivery.pk)]


def test_a_lost_task_is_enqueued_again_and_a_waiting_one_is_not(caller: Caller) -> None:
    delivery = ended(caller, HOOK)
    now = timezone.now()
    DBTaskResult.objects.all().delete()
    enqueue_deliveries(now)
    assert enqueued() == []
    enqueue_deliveries(now + LEASE)
    enqueue_deliveries(now + LEASE)
    assert enqueued() == [str(delivery.pk)]


def test_an_attempt_that_was_cut_off_is_made_again_after_its_lease(
    caller: Caller, settings: Settings
) -> None:
    delivery = ended(caller, HOOK)
    now = timezone.now()
    assert delivery.claim(now)  # … and the courier is killed
    assert not delivery.claim(now)
    with serving(says(http_answer())) as server:
        Delivery.objects.update(url=allow(settings, server))
        delivery = attempt(delivery, now + LEASE)
    assert (delivery.status, delivery.attempts_made) == (DeliveryStatus.DELIVERED, 2)


def test_a_failed_attempt_is_enqueued_when_it_is_due(caller: Caller) -> None:
    delivery = attempt(ended(caller, "http://127.0.0.1:9/hook"))
    DBTaskResult.objects.all().delete()
    assert delivery.next_attempt_at
    enqueue_deliveries(delivery.next_attempt_at - datetime.timedelta(seconds=1))
    assert enqueued() == []
    enqueue_deliveries(delivery.next_attempt_at)
    assert enqueued() == [str(delivery.pk)]


# --- the inspector --------------------------------------------------------------------------


def test_the_inspector_gets_callbacks_without_a_network(caller: Caller) -> None:
    delivery = attempt(ended(caller, inspector.inspector_url(caller.user)))
    seen = InspectedCallback.objects.get(user=caller.user)
    secret = ApiAccess.objects.get_or_grant(caller.user).callback_secret
    assert Webhook(secret).verify(seen.body, seen.headers)["task_id"] == str(delivery.swap_id)
    assert (delivery.status, delivery.last_status) == (DeliveryStatus.DELIVERED, 204)


def test_the_inspector_may_be_named_in_a_call(caller: Caller) -> None:
    answer = caller.swap({**SAMPLES, "callback_url": inspector.inspector_url(caller.user)})
    assert answer.status_code == 200


def test_the_inspector_keeps_the_newest_few_and_forgets_them_after_a_day(alice: User) -> None:
    token = inspector.token_of_url(inspector.inspector_url(alice))
    assert token
    for number in range(inspector.MAX_KEPT + 5):
        assert inspector.receive(token, {"Webhook-Id": str(number)}, b"{}") == 204
    kept = InspectedCallback.objects.order_by("-received_at")
    assert len(kept) == inspector.MAX_KEPT
    assert kept[0].headers == {"webhook-id": str(inspector.MAX_KEPT + 4)}
    delete_expired_logs(timezone.now() + inspector.RETENTION)
    assert not InspectedCallback.objects.exists()


@pytest.mark.parametrize(
    ("token", "body", "status"),
    [("nonsense", b"{}", 404), ("", b"{}", 404), (None, b"a" * 70_000, 413), (None, b"\0", 204)],
)
def test_the_inspector_takes_what_its_token_allows(
    alice: User, client: Client, token: str | None, body: bytes, status: int
) -> None:
    url = inspector.inspector_url(alice).removeprefix(site.SITE_URL)
    if token is not None:
        url = url.rsplit("/", 2)[0] + f"/{token}/"
    answer = client.post(url, body, content_type="application/json")
    assert answer.status_code == status
