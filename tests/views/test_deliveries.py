"""The log of callbacks and the page of one: facts, attempts, payload, live, replay."""

import datetime
import json
import re
import uuid
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from swaps.lifecycle.remove import remove_swap
from swaps.lifecycle.settle import settle
from swaps.models import Delivery, DeliveryAttempt, DeliveryStatus, Door, Swap, User
from swaps.models.delivery import MAX_ATTEMPTS
from swaps.views.deliveries import PAGE_SIZE
from tests.swap_rows import finished, queued_swap

pytestmark = pytest.mark.django_db
LOG = "/api/deliveries/"
HOOK = "https://hooks.example.org/faces"
HTMX = {"HX-Request": "true"}


def ended_swap(owner: User) -> Swap:
    """A swap of the API that ends with a callback, which is pending then."""
    swap = queued_swap(owner)
    Swap.objects.filter(pk=swap.pk).update(door=Door.API, callback_url=HOOK, trace_id="t" * 32)
    swap.refresh_from_db()
    assert swap.claim()
    settle(swap, finished())
    return swap


def pending(owner: User) -> Delivery:
    return ended_swap(owner).delivery


def many(owner: User, count: int, **fields: object) -> list[Delivery]:
    """Many rows at once; half of them of the same instant."""
    now = timezone.now()
    swaps = Swap.objects.bulk_create(Swap(owner=owner, door=Door.API) for _ in range(count))
    return Delivery.objects.bulk_create(
        Delivery(
            swap=swap,
            owner=owner,
            url=f"{HOOK}/{number}",
            created_at=now - datetime.timedelta(seconds=number // 2),
            **{"status": DeliveryStatus.DELIVERED, "next_attempt_at": None, **fields},
        )
        for number, swap in enumerate(swaps)
    )


def attempted(delivery: Delivery, **message: object) -> DeliveryAttempt:
    return DeliveryAttempt.objects.create(
        delivery=delivery, started_at=timezone.now(), **{"seconds": 0.25, **message}
    )


def page(client: Client, url: str, **options: object) -> str:
    return unescape(client.get(url, **options).content.decode())  # type: ignore[arg-type]


def page_of(delivery: Delivery) -> str:
    return reverse("swaps:delivery", args=[delivery.pk])


def polled(html: str) -> str:
    """What the page asks again and again."""
    found = re.search(r'hx-get="([^"]+shown=[^"]+)" hx-trigger="every 2s, refresh"', html)
    assert found, "the page does not poll"
    return found[1]


# --- the log ------------------------------------------------------------------------------


def test_an_empty_log_says_what_would_stand_here(as_alice: Client) -> None:
    html = page(as_alice, LOG)
    assert "No callbacks yet" in html
    assert "hx-trigger" not in html


def test_load_more_shows_each_of_many_once_newest_first(
    as_alice: Client, alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    many(alice, 3 * PAGE_SIZE + 7)
    seen: list[str] = []
    url: str | None = LOG
    while url:
        with django_assert_max_num_queries(4):  # session, user, the last one, the page
            html = page(as_alice, url, headers=HTMX)
        seen += re.findall(r'id="delivery-([0-9a-f-]{36})"', html)
        more = re.search(r'<a class="button quiet" href="([^"]+)" hx-get="([^"]+)"', html)
        assert more is None or more[1] == more[2]
        url = more[1] if more else None
    assert seen == [str(delivery.pk) for delivery in Delivery.objects.newest_first()]


@pytest.mark.parametrize("cursor", ["x", "", str(uuid.UUID(int=1)), "%00", "🙂"])
def test_a_strange_cursor_leads_to_the_newest(as_alice: Client, alice: User, cursor: str) -> None:
    many(alice, 1)
    assert f"{HOOK}/0" in page(as_alice, f"{LOG}?after={cursor}")


def test_the_log_shows_ones_own_callbacks_alone(
    as_charlie: Client, charlie: User, alice: User
) -> None:
    theirs = pending(alice)
    assert str(theirs.pk) not in page(as_charlie, LOG)
    assert str(theirs.pk) not in page(as_charlie, f"{LOG}?after={theirs.pk}")


def test_a_finished_log_does_not_poll(as_alice: Client, alice: User) -> None:
    many(alice, 2)
    assert "hx-trigger" not in page(as_alice, LOG)


def test_the_log_asks_about_what_is_pending_and_gets_204_while_nothing_changes(
    as_alice: Client, alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    many(alice, PAGE_SIZE, status=DeliveryStatus.PENDING, next_attempt_at=timezone.now())
    html = page(as_alice, LOG)
    assert '<noscript><meta http-equiv="refresh"' in html
    with django_assert_num_queries(3):  # session, user, deliveries
        answer = as_alice.get(polled(html), headers=HTMX)
    assert (answer.status_code, answer.content) == (204, b"")


def test_a_poll_brings_the_row_that_changed_and_stops_with_the_last(
    as_alice: Client, alice: User
) -> None:
    first, second = pending(alice), pending(alice)
    url = polled(page(as_alice, LOG))
    first.end(DeliveryStatus.DELIVERED, last_status=204)
    html = page(as_alice, url, headers=HTMX)
    assert f'id="delivery-{first.pk}" hx-swap-oob="true"' in html
    assert "Answered 204" in html
    assert f"delivery-{second.pk}" not in html
    url = polled(html)
    assert str(first.pk) not in url
    second.end(DeliveryStatus.GIVEN_UP, last_error="Nobody listens at this address.")
    html = page(as_alice, url, headers=HTMX)
    assert "Nobody listens at this address." in html
    assert "hx-trigger" not in html


@pytest.mark.parametrize(
    "shown", ["", "x", ",,,", "1.2.3", "%00", str(uuid.UUID(int=1)) + ".pending"]
)
def test_a_strange_poll_never_breaks(as_alice: Client, shown: str) -> None:
    answer = as_alice.get(f"{LOG}?shown={shown}", headers=HTMX)
    assert answer.status_code in {200, 204}


# --- one callback -------------------------------------------------------------------------


def test_a_callback_is_shown_with_its_facts_and_its_payload(as_alice: Client, alice: User) -> None:
    delivery = pending(alice)
    html = page(as_alice, page_of(delivery))
    for fact in (HOOK, delivery.message_id, str(delivery.swap_id), "webhook-signature"):
        assert fact in html
    assert reverse("swaps:detail", args=[delivery.swap_id]) in html
    found = re.search(r'<pre id="payload">(.*?)</pre>', html, re.DOTALL)
    assert found
    payload = json.loads(found[1])
    assert payload["success"] is True
    assert payload["task_id"] == str(delivery.swap_id)
    assert payload["image_url"].startswith("http")


def test_attempts_are_shown_newest_first_and_what_was_answered_is_no_markup(
    as_alice: Client, alice: User
) -> None:
    delivery = pending(alice)
    attempted(delivery, error="The receiver did not answer in 15 s.", seconds=15.004)
    attempted(
        delivery,
        status=500,
        error="The receiver answered with 500.",
        response_excerpt="<script>alert(1)</script>",
    )
    attempted(delivery, status=204)
    raw = as_alice.get(page_of(delivery)).content.decode()
    message = re.findall(r'<span class="state (?:delivered|given_up)">([^<]+)</span>', raw)
    assert message == ["204", "500", "No answer"]
    assert "15.00 s" in raw
    assert "&lt;script&gt;alert(1)&lt;/script&gt;</pre>" in raw
    assert "<script>alert" not in raw


def test_of_many_attempts_the_newest_are_shown(
    as_alice: Client, alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    delivery = pending(alice)
    now = timezone.now()
    DeliveryAttempt.objects.bulk_create(
        DeliveryAttempt(
            delivery=delivery,
            started_at=now - datetime.timedelta(minutes=number),
            seconds=1,
            error=f"attempt {number} failed",
        )
        for number in range(MAX_ATTEMPTS + 20)
    )
    with django_assert_max_num_queries(6):
        html = page(as_alice, page_of(delivery))
    assert html.count(" failed</p>") == MAX_ATTEMPTS
    assert "attempt 0 failed" in html
    assert f"attempt {MAX_ATTEMPTS} failed" not in html


def test_when_the_next_attempt_will_be_is_said(as_alice: Client, alice: User) -> None:
    delivery = pending(alice)
    assert "<dt>Next attempt</dt><dd>now</dd>" in page(as_alice, page_of(delivery))
    delivery.postpone(timezone.now(), last_status=503)
    delivery.refresh_from_db()
    assert delivery.next_attempt_at
    assert f"{delivery.next_attempt_at:%Y-%m-%d %H:%M:%S UTC}" in page(as_alice, page_of(delivery))


def test_the_page_asks_again_while_it_is_pending_and_gets_204_while_nothing_changes(
    as_alice: Client, alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    delivery = pending(alice)
    html = page(as_alice, page_of(delivery))
    assert '<noscript><meta http-equiv="refresh"' in html
    url = polled(html)
    with django_assert_num_queries(3):  # session, user, delivery
        answer = as_alice.get(url, headers=HTMX)
    assert (answer.status_code, answer.content) == (204, b"")

    assert delivery.claim(timezone.now() + datetime.timedelta(minutes=1))
    url = polled(page(as_alice, url, headers=HTMX))
    attempted(delivery, status=503, error="The receiver answered with 503.")
    delivery.postpone(timezone.now(), last_status=503)
    html = page(as_alice, url, headers=HTMX)
    assert "The receiver answered with 503." in html
    assert "<html" not in html
    url = polled(html)
    delivery.end(DeliveryStatus.DELIVERED, delivered_at=timezone.now(), last_status=204)
    html = page(as_alice, url, headers=HTMX)
    assert "Delivered" in html
    assert "hx-trigger" not in html


@pytest.mark.parametrize("status", list(DeliveryStatus))
def test_a_callback_is_replayed_in_any_state(
    as_alice: Client, alice: User, status: DeliveryStatus
) -> None:
    delivery = pending(alice)
    delivery.end(status, failures=11)
    url = reverse("swaps:replay_delivery", args=[delivery.pk])
    assert url in page(as_alice, page_of(delivery))

    answer = as_alice.post(url, follow=True)

    assert answer.redirect_chain == [(page_of(delivery), 302)]
    assert "once more" in answer.content.decode()
    delivery.refresh_from_db()
    assert (delivery.status, delivery.failures) == (DeliveryStatus.PENDING, 0)
    assert delivery.claim(timezone.now())


def test_replaying_needs_a_post(as_alice: Client, alice: User) -> None:
    url = reverse("swaps:replay_delivery", args=[pending(alice).pk])
    assert as_alice.get(url).status_code == 405


def test_a_strangers_callback_is_not_found(
    as_charlie: Client, as_staff: Client, alice: User
) -> None:
    delivery = pending(alice)
    delivery.end(DeliveryStatus.GIVEN_UP)
    for client in (as_charlie, as_staff):
        assert client.get(page_of(delivery)).status_code == 404
        assert client.get(page_of(delivery), headers=HTMX).status_code == 404
        replay = reverse("swaps:replay_delivery", args=[delivery.pk])
        assert client.post(replay).status_code == 404
    delivery.refresh_from_db()
    assert delivery.status == DeliveryStatus.GIVEN_UP


def test_somebody_signed_out_is_led_to_the_sign_in(client: Client, alice: User) -> None:
    for url in (LOG, page_of(pending(alice))):
        assert client.get(url).headers["Location"].startswith("/accounts/login/?next=")


@pytest.mark.parametrize("is_hidden", [True, False])
def test_the_callback_of_a_swap_that_is_out_of_sight_shows_no_picture(
    as_alice: Client, alice: User, is_hidden: bool
) -> None:
    swap = ended_swap(alice)
    if is_hidden:
        Swap.objects.filter(pk=swap.pk).update(is_hidden=True)
    else:
        remove_swap(swap)
    html = page(as_alice, page_of(swap.delivery))
    assert "image_url" not in html
    assert reverse("swaps:detail", args=[swap.pk]) not in html
    assert str(swap.pk) in html


def test_why_an_attempt_failed_is_written_out_of_its_code_or_as_an_earlier_version_wrote_it(
    as_alice: Client, alice: User
) -> None:
    delivery = pending(alice)
    attempted(delivery, error_params={"code": "delivery.redirect", "status": 301}, status=301)
    attempted(delivery, error="The host was away for an earlier version.")
    html = page(as_alice, page_of(delivery))
    assert "The receiver answered with 301; redirects are not followed." in html
    assert "The host was away for an earlier version." in html
    assert html.count('class="state given_up"') >= 2
