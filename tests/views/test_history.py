"""The history page and its poll."""

import datetime
import re
import uuid

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from swaps import errors
from swaps.lifecycle.remove import remove_swap
from swaps.lifecycle.settle import settle
from swaps.models import Status, Swap, User
from swaps.views.history_updates import MAX_POLLED, PAGE_SIZE, poll_of
from tests.swap_rows import finished, finished_swap, queued_swap
from tests.views.polling import HTMX, poll_url

pytestmark = pytest.mark.django_db


def rows(owner: User, count: int, **fields: object) -> list[Swap]:
    """Many rows at once; half of them of the same instant."""
    now = timezone.now()
    return Swap.objects.bulk_create(
        Swap(
            owner=owner,
            status=Status.SUCCEEDED,
            source_key="swaps/s.jpg",
            target_key="swaps/t.jpg",
            result_key="swaps/r.jpg",
            created_at=now - datetime.timedelta(seconds=number // 2),
            **fields,
        )
        for number in range(count)
    )


def test_an_empty_history_invites(as_alice: Client) -> None:
    page = as_alice.get(reverse("swaps:history"))
    assert page.status_code == 200
    assert reverse("swaps:new") in page.content.decode()


def test_load_more_shows_each_of_ten_thousand_once(
    as_alice: Client, alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    rows(alice, 10_000)
    seen: list[str] = []
    url: str | None = reverse("swaps:history")
    for _ in range(5):
        assert url
        with django_assert_max_num_queries(4):
            page = as_alice.get(url, headers=HTMX).content.decode()
        seen += re.findall(r'id="swap-([0-9a-f-]{36})"', page)
        more = re.search(r'hx-get="([^"]+after=[^"]+)"', page)
        url = more[1].replace("&amp;", "&") if more else None
    newest = Swap.objects.visible_to(alice).newest_first()[: 5 * PAGE_SIZE]
    assert seen == [str(swap.pk) for swap in newest]


def test_the_last_page_offers_no_more(as_alice: Client, alice: User) -> None:
    rows(alice, PAGE_SIZE)
    assert "Load more" not in as_alice.get(reverse("swaps:history")).content.decode()


@pytest.mark.parametrize(
    "cursor", ["x", "2026-01-01", "_", "0001-01-01T00:00:00_" + "0" * 32, "%00"]
)
def test_a_strange_cursor_never_breaks(as_alice: Client, cursor: str) -> None:
    assert as_alice.get(reverse("swaps:history"), {"after": cursor}).status_code == 200


def test_a_finished_history_does_not_poll(as_alice: Client, alice: User) -> None:
    finished_swap(alice)
    assert "/swaps/updates/" not in as_alice.get(reverse("swaps:history")).content.decode()


def test_an_unchanged_poll_is_empty_and_asks_for_session_user_and_swaps_alone(
    as_alice: Client, alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    rows(alice, PAGE_SIZE)
    Swap.objects.filter(owner=alice).update(status=Status.QUEUED)
    url = poll_url(as_alice)
    with django_assert_num_queries(3):
        answer = as_alice.get(url, headers=HTMX)
    assert (answer.status_code, answer.content) == (204, b"")


def test_a_poll_brings_the_finished_card_and_says_so(as_alice: Client, alice: User) -> None:
    swap = queued_swap(alice)
    url = poll_url(as_alice)
    swap.claim()
    settle(swap, finished())
    answer = as_alice.get(url, headers=HTMX).content.decode()
    assert reverse("swaps:thumb", args=[swap.pk, "result"]) in answer
    assert "Your swap is finished." in answer
    assert "hx-trigger" not in answer  # nothing is left to ask about


def test_a_swap_that_ends_while_its_card_is_made_is_asked_about_as_it_is_shown(
    as_alice: Client, alice: User
) -> None:
    """Its row was read unfinished, and had ended when the unfinished ones were looked for."""
    shown = queued_swap(alice)
    settle(Swap.objects.get(pk=shown.pk), finished())
    poll = poll_of(alice, timezone.now(), [shown])
    assert f"{shown.pk}.queued" in poll.url
    html = as_alice.get(poll.url, headers=HTMX).content.decode()
    assert 'class="card succeeded"' in html
    assert not poll_of(alice, timezone.now(), [Swap.objects.get(pk=shown.pk)]).url


def test_a_poll_shows_a_failure_with_its_reason(as_alice: Client, alice: User) -> None:
    swap = queued_swap(alice)
    url = poll_url(as_alice)
    settle(swap, errors.NoFace("source", image="source"))
    answer = as_alice.get(url, headers=HTMX).content.decode()
    assert "No face was found in the face photo." in answer


def test_a_removed_card_goes(as_alice: Client, alice: User) -> None:
    swap = queued_swap(alice)
    url = poll_url(as_alice)
    remove_swap(swap)
    answer = as_alice.get(url, headers=HTMX).content.decode()
    assert f'id="swap-{swap.pk}" hx-swap-oob="delete"' in answer


@pytest.mark.parametrize(
    ("age", "interval"), [(1, 300), (10, 1000), (40, 2000), (200, 5000), (4000, 15_000)]
)
def test_the_older_the_swap_the_rarer_the_poll(
    as_alice: Client, alice: User, age: int, interval: int
) -> None:
    swap = queued_swap(alice)
    Swap.objects.filter(pk=swap.pk).update(
        created_at=timezone.now() - datetime.timedelta(seconds=age)
    )
    assert f"every={interval}" in poll_url(as_alice)


def test_a_poll_that_is_due_to_slow_down_gets_its_new_interval(
    as_alice: Client, alice: User
) -> None:
    swap = queued_swap(alice)
    url = poll_url(as_alice)
    Swap.objects.filter(pk=swap.pk).update(
        created_at=timezone.now() - datetime.timedelta(seconds=10)
    )
    answer = as_alice.get(url, headers=HTMX)
    assert answer.status_code == 200
    assert "every 1000ms" in answer.content.decode()


def test_one_poll_asks_about_all_unfinished_cards(as_alice: Client, alice: User) -> None:
    swaps = [queued_swap(alice) for _ in range(3)]
    url = poll_url(as_alice)
    assert all(str(swap.pk) in url for swap in swaps)


@pytest.mark.parametrize(
    "query", ["", "swaps=x", "swaps=,,,", "every=abc&swaps=1.2.3", "swaps=%00"]
)
def test_a_strange_poll_never_breaks(as_alice: Client, query: str) -> None:
    assert as_alice.get(f"{reverse('swaps:updates')}?{query}", headers=HTMX).status_code == 200


def test_cards_of_later_pages_are_asked_about_too(as_alice: Client, alice: User) -> None:
    swaps = rows(alice, PAGE_SIZE + 6)
    Swap.objects.filter(owner=alice).update(status=Status.QUEUED)
    url = poll_url(as_alice)
    assert all(str(swap.pk) in url for swap in swaps)


def test_more_swaps_than_one_poll_holds_have_their_turn(as_alice: Client, alice: User) -> None:
    swaps = rows(alice, MAX_POLLED + 5)
    Swap.objects.filter(owner=alice).update(status=Status.QUEUED)
    url = poll_url(as_alice)
    assert url.count(".queued") == MAX_POLLED
    first = [swap.pk for swap in swaps if str(swap.pk) in url]
    Swap.objects.filter(pk__in=first).update(status=Status.SUCCEEDED)
    assert as_alice.get(url, headers=HTMX).content.decode().count(".queued") == 5


def test_a_strangers_swap_is_told_like_one_that_never_was(as_charlie: Client, alice: User) -> None:
    theirs, nobodys = queued_swap(alice).pk, uuid.uuid4()
    answers = [
        as_charlie.get(f"{reverse('swaps:updates')}?swaps={pk}.queued", headers=HTMX)
        .content.decode()
        .replace(str(pk), "")
        for pk in (theirs, nobodys)
    ]
    assert answers[0] == answers[1]


def test_a_poll_without_a_session_leads_the_page_to_the_sign_in(client: Client) -> None:
    answer = client.get(reverse("swaps:updates"), headers=HTMX)
    assert answer.headers["HX-Redirect"] == "/accounts/login/?next=%2Fswaps%2F"
    assert answer.content == b""


@pytest.mark.parametrize("url", ["http://[", "", "\x00", "//evil.example/x"])
def test_a_strange_current_url_never_breaks_or_leads_elsewhere(client: Client, url: str) -> None:
    answer = client.get(reverse("swaps:updates"), headers={**HTMX, "HX-Current-URL": url})
    assert answer.headers["HX-Redirect"].startswith("/accounts/login/?next=")
    assert "evil" not in answer.headers["HX-Redirect"]
