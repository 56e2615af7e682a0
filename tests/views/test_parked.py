"""Swaps that wait for a hosted provider that is down: what their owner sees of it."""

import datetime
import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from swaps.models import HostedProvider, Quota, Swap, User
from swaps.models.hosted_provider import FAILURES_TO_OPEN
from tests.swap_rows import queued_swap
from tests.views.polling import HTMX, poll_url

NEW = "/swaps/new/"
NOT_ANSWERING = "The service that makes the pictures is not answering at the moment."


@pytest.fixture(autouse=True)
def hosted(db: None, settings: Settings) -> None:
    settings.FACESWAP_PROVIDER = "hosted"
    settings.FACESWAP_HOSTED_KEY = "no-key-of-anybody"


def parked_swap(owner: User) -> Swap:
    swap = queued_swap(owner)
    assert swap.requeue_unsent(is_parked=True)
    return swap


def bring_down(at: datetime.datetime) -> None:
    for _ in range(FAILURES_TO_OPEN):
        HostedProvider.objects.record_failure(at, {"code": "provider.refused"})


def read(client: Client, url: str, **headers: str) -> str:
    return client.get(url, headers=headers).content.decode()


def detail_url(swap: Swap) -> str:
    return reverse("swaps:detail", args=[swap.pk])


def announced(answer: str) -> str:
    found = re.search(r'id="announcer" hx-swap-oob="innerHTML">([^<]*)<', answer)
    return found[1] if found else ""


def test_a_parked_card_says_what_it_waits_for(as_alice: Client, alice: User) -> None:
    swap = parked_swap(alice)
    page = read(as_alice, reverse("swaps:history"))
    assert "Waits for the service<" in page
    assert 'alt="Waits for the service that makes the pictures"' in page
    assert "Waiting for its turn" not in page
    assert f"{swap.pk}.queued-parked" in poll_url(as_alice)


def test_the_page_of_a_parked_swap_explains_and_promises(as_alice: Client, alice: User) -> None:
    swap = parked_swap(alice)
    page = read(as_alice, detail_url(swap))
    assert f"{NOT_ANSWERING} Your swap is kept, and goes on by itself." in page
    assert "Waiting for its turn" not in page
    assert 'hx-trigger="every 5000ms, refresh"' in page


def test_the_poll_brings_a_card_that_was_parked_and_says_so(as_alice: Client, alice: User) -> None:
    swap = queued_swap(alice)
    url = poll_url(as_alice)
    swap.requeue_unsent(is_parked=True)
    answer = read(as_alice, url, **HTMX)
    assert f'id="swap-{swap.pk}"' in answer
    assert "Waits for the service<" in answer
    assert announced(answer).startswith("The service that makes the pictures is not answering.")


def test_several_that_are_parked_at_once_are_announced_once(as_alice: Client, alice: User) -> None:
    swaps = [queued_swap(alice) for _ in range(3)]
    url = poll_url(as_alice)
    for swap in swaps:
        swap.requeue_unsent(is_parked=True)
    assert announced(read(as_alice, url, **HTMX)).count("not answering") == 1


def test_a_trial_that_comes_back_is_not_announced_again(as_alice: Client, alice: User) -> None:
    swap = parked_swap(alice)
    assert swap.mark_sent()
    url = poll_url(as_alice)
    swap.requeue_unsent(is_parked=True)
    answer = read(as_alice, url, **HTMX)
    assert "Waits for the service<" in answer
    assert announced(answer) == ""


def test_a_parked_swap_that_goes_on_is_shown_at_work(as_alice: Client, alice: User) -> None:
    swap = parked_swap(alice)
    history, detail = poll_url(as_alice), f"{detail_url(swap)}?progress={swap.progress}"
    assert as_alice.get(detail, headers=HTMX).status_code == 204
    assert swap.mark_sent()
    assert "Swapping…" in read(as_alice, history, **HTMX)
    answer = read(as_alice, detail, **HTMX)
    assert "Swapping…" in answer
    assert "not answering" not in answer


def test_a_poll_that_finds_parked_swaps_unchanged_is_as_cheap_as_any(
    as_alice: Client, alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(5):
        parked_swap(alice)
    url = poll_url(as_alice)
    with django_assert_num_queries(3):
        assert as_alice.get(url, headers=HTMX).status_code == 204


def test_a_parked_swap_can_be_deleted_and_is_given_back(as_alice: Client, alice: User) -> None:
    before = Quota.objects.get_or_grant(alice).remaining
    swap = parked_swap(alice)
    assert Quota.objects.get_or_grant(alice).remaining == before - 1
    as_alice.post(reverse("swaps:delete", args=[swap.pk]))
    swap.refresh_from_db()
    assert (swap.status, swap.is_parked, swap.submission.is_open) == ("removed", False, False)
    assert Quota.objects.get_or_grant(alice).remaining == before


def test_the_form_says_that_new_swaps_will_wait(as_alice: Client) -> None:
    assert NOT_ANSWERING not in read(as_alice, NEW)
    bring_down(timezone.now())
    page = read(as_alice, NEW)
    assert f"{NOT_ANSWERING} You can request a swap all the same" in page
    assert "disabled" not in re.findall(r"<button[^>]*submit[^>]*Starting[^>]*>", page)[0]


def test_the_form_says_nothing_once_the_provider_is_back(as_alice: Client) -> None:
    bring_down(timezone.now())
    HostedProvider.objects.record_success(timezone.now())
    assert NOT_ANSWERING not in read(as_alice, NEW)


def test_an_outage_that_nobody_has_looked_into_since_is_not_told_as_news(as_alice: Client) -> None:
    bring_down(timezone.now() - datetime.timedelta(hours=3))
    assert NOT_ANSWERING not in read(as_alice, NEW)


def test_a_site_with_its_own_engine_does_not_ask_how_the_provider_does(
    as_alice: Client, settings: Settings, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    bring_down(timezone.now())
    read(as_alice, NEW)  # the quota is made
    with django_assert_num_queries(5) as hosted:
        read(as_alice, NEW)
    settings.FACESWAP_PROVIDER = "embedded"
    with django_assert_num_queries(len(hosted) - 1):
        assert NOT_ANSWERING not in read(as_alice, NEW)


def test_the_page_of_a_swap_asks_less_often_when_it_takes_long(
    as_alice: Client, alice: User
) -> None:
    swap = queued_swap(alice)
    url = f"{detail_url(swap)}?progress={swap.progress}"
    assert "every 300ms" in read(as_alice, detail_url(swap))
    assert as_alice.get(f"{url}&every=300", headers=HTMX).status_code == 204
    long_ago = timezone.now() - datetime.timedelta(seconds=30)
    Swap.objects.filter(pk=swap.pk).update(created_at=long_ago)
    assert "every 2000ms" in read(as_alice, f"{url}&every=300", **HTMX)
    assert as_alice.get(f"{url}&every=2000", headers=HTMX).status_code == 204
