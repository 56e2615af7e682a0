"""An open history shows what was made elsewhere, and says in its title how much is in work."""

import datetime
import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from swaps.lifecycle.settle import settle
from swaps.models import Status, Swap, User
from swaps.views.history_updates import MAX_ARRIVALS
from tests.swap_rows import finished, finished_swap, queued_swap
from tests.views.polling import HTMX, poll_url

pytestmark = pytest.mark.django_db


def arrivals_url(html: str) -> str:
    found = re.search(r'hx-get="(/swaps/arrivals/[^"]+)" hx-trigger="every (\d+)s, refresh"', html)
    assert found, "the page does not ask for new swaps"
    assert int(found[2]) <= 15
    return found[1].replace("&amp;", "&")


def open_page(client: Client, query: str = "") -> str:
    return arrivals_url(client.get(reverse("swaps:history") + query).content.decode())


def ask(client: Client, url: str) -> str:
    answer = client.get(url, headers=HTMX)
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def is_quiet(client: Client, url: str) -> bool:
    answer = client.get(url, headers=HTMX)
    return (answer.status_code, answer.content) == (204, b"")


def test_a_swap_from_elsewhere_is_put_in_at_the_top_and_followed(
    as_alice: Client, alice: User
) -> None:
    finished_swap(alice)
    url = open_page(as_alice)
    assert is_quiet(as_alice, url)
    new = queued_swap(alice)
    html = ask(as_alice, url)
    assert html.count('class="card ') == 1
    assert f'<ul hx-swap-oob="afterbegin:#cards"><li id="swap-{new.pk}"' in " ".join(
        html.split()
    ).replace("> <", "><")
    assert re.search(rf'id="poller" hx-get="/swaps/updates/[^"]+{new.pk}\.queued', html)
    assert "<title>(1) History · Faceswap</title>" in html
    assert "A new swap is here." in html
    assert is_quiet(as_alice, arrivals_url(html))


def test_an_empty_history_is_asked_about_too(as_alice: Client, alice: User) -> None:
    url = open_page(as_alice)
    new = queued_swap(alice)
    assert f'id="swap-{new.pk}"' in ask(as_alice, url)


def test_a_swap_that_is_committed_late_is_not_missed(as_alice: Client, alice: User) -> None:
    """It says that it was made before the page was; the page did not show it."""
    late = queued_swap(alice)
    Swap.objects.filter(pk=late.pk).update(status=Status.REMOVED)
    url = open_page(as_alice)
    Swap.objects.filter(pk=late.pk).update(status=Status.QUEUED)
    assert f'id="swap-{late.pk}"' in ask(as_alice, url)


def test_new_swaps_are_filtered_like_the_page(as_alice: Client, alice: User) -> None:
    url = open_page(as_alice, "?starred=1")
    queued_swap(alice)
    assert is_quiet(as_alice, url)
    starred = queued_swap(alice)
    starred.star(is_starred=True)
    html = ask(as_alice, url)
    assert f'id="swap-{starred.pk}"' in html
    assert "starred=1" in arrivals_url(html)


def test_among_the_finished_ones_a_swap_is_new_when_it_is_finished(
    as_alice: Client, alice: User
) -> None:
    slow = queued_swap(alice)
    Swap.objects.filter(pk=slow.pk).update(
        created_at=timezone.now() - datetime.timedelta(minutes=5)
    )
    finished_swap(alice)
    url = open_page(as_alice, "?state=finished")
    assert is_quiet(as_alice, url)
    settle(slow, finished())
    html = ask(as_alice, url)
    assert re.findall(r'<li id="swap-([0-9a-f-]{36})"', html) == [str(slow.pk)]
    assert is_quiet(as_alice, arrivals_url(html))


def test_very_many_new_swaps_are_offered_and_not_put_in(as_alice: Client, alice: User) -> None:
    url = open_page(as_alice, "?origin=browser")
    now = timezone.now()
    Swap.objects.bulk_create(
        Swap(owner=alice, created_at=now, source_key="s.jpg", target_key="t.jpg")
        for _ in range(MAX_ARRIVALS + 1)
    )
    html = ask(as_alice, url)
    assert 'class="card ' not in html
    assert "hx-get" not in html
    assert '/swaps/?origin=browser">Show the newest' in html


def test_a_page_that_took_in_many_already_offers_to_begin_anew(
    as_alice: Client, alice: User
) -> None:
    url = open_page(as_alice).replace("came=0", f"came={MAX_ARRIVALS}")
    queued_swap(alice)
    assert "Show the newest" in ask(as_alice, url)


def test_strangers_swaps_and_hidden_ones_are_no_news(
    as_charlie: Client, alice: User, charlie: User
) -> None:
    url = open_page(as_charlie)
    queued_swap(alice)
    Swap.objects.filter(pk=queued_swap(charlie).pk).update(is_hidden=True)
    assert is_quiet(as_charlie, url)


def test_an_older_page_does_not_ask(as_alice: Client, alice: User) -> None:
    swap = finished_swap(alice)
    later = (timezone.now() + datetime.timedelta(seconds=1)).isoformat()
    page = as_alice.get(reverse("swaps:history"), {"after": f"{later}_{swap.pk}"})
    assert str(swap.pk) in page.content.decode()
    assert "/swaps/arrivals/" not in page.content.decode()


@pytest.mark.parametrize(
    "query",
    [
        "",
        "since=x&seen=y&came=z",
        "since=0001-01-01T00:00:00&state=failed",
        "since=9999-12-31T23:59:59-12:00",
        "since=%00&came=%C2%B2&seen=,,",
    ],
)
def test_a_strange_question_never_breaks(as_alice: Client, query: str) -> None:
    assert is_quiet(as_alice, f"{reverse('swaps:arrivals')}?{query}")


@pytest.mark.parametrize("query", ["", "?state=finished&q=anna"])
def test_the_question_costs_one_query_besides_session_and_user(
    as_alice: Client, alice: User, django_assert_num_queries: DjangoAssertNumQueries, query: str
) -> None:
    finished_swap(alice)
    url = open_page(as_alice, query)
    with django_assert_num_queries(3):
        assert is_quiet(as_alice, url)


# --- the title, and the notification ----------------------------------------------------------


def title(html: str) -> str:
    found = re.search(r"<title>(.*?)</title>", html)
    assert found
    return found[1]


def test_the_title_counts_what_is_in_work_as_it_ends(as_alice: Client, alice: User) -> None:
    first, second = queued_swap(alice), queued_swap(alice)
    page = as_alice.get(reverse("swaps:history")).content.decode()
    assert title(page) == "(2) History · Faceswap"
    url = poll_url(as_alice)
    settle(first, finished())
    answer = as_alice.get(url, headers=HTMX)
    assert title(answer.content.decode()) == "(1) History · Faceswap"
    assert "HX-Trigger" not in answer.headers
    url = poll_url(as_alice)
    settle(second, finished())
    answer = as_alice.get(url, headers=HTMX)
    assert title(answer.content.decode()) == "History · Faceswap"
    assert answer.headers["HX-Trigger"] == '{"swaps:ready": {"text": "Your swap is finished."}}'
