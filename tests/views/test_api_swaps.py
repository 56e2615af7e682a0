"""Swaps of the API in the history and on their own page, also before their pictures are here."""

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from swaps import errors
from swaps.lifecycle.settle import settle
from swaps.models import Delivery, Door, Status, Swap, User
from tests.swap_rows import finished_swap, queued_swap

pytestmark = pytest.mark.django_db
TAG = '<span class="door">API</span>'
MISSING = errors.BadRequest(
    "unreachable", image="source", field="source_image_url", reason={"code": "host.not_found"}
)


def api_swap(owner: User, **fields: Any) -> Swap:
    """Asked for by URLs, of which nothing has been fetched."""
    return Swap.objects.create(owner=owner, door=Door.API, request={}, **fields)


def pages(client: Client, swap: Swap) -> list[str]:
    """The history and the page of the swap."""
    urls = reverse("swaps:history"), reverse("swaps:detail", args=[swap.pk])
    return [unescape(client.get(url).content.decode()) for url in urls]


def pictures_in(html: str) -> list[str]:
    return re.findall(r'(?:src|href)="(/swaps/[0-9a-f-]{36}/(?:thumb/|source|target)[^"]*)"', html)


def test_swaps_of_the_api_are_marked_and_others_are_not(as_alice: Client, alice: User) -> None:
    swap = finished_swap(alice)
    assert TAG not in pages(as_alice, swap)[0]
    Swap.objects.filter(pk=swap.pk).update(door=Door.API)
    assert pages(as_alice, swap)[0].count(TAG) == 1


@pytest.mark.parametrize("status", [Status.QUEUED, Status.PROCESSING])
def test_a_swap_whose_pictures_are_fetched_shows_none_and_says_so(
    as_alice: Client, alice: User, status: Status
) -> None:
    swap = api_swap(alice, status=status)
    for html in pages(as_alice, swap):
        assert pictures_in(html) == []
        assert "Fetching…" in html
        assert "Waiting for its turn" not in html
        assert "Swapping…" not in html


def test_the_picture_that_is_here_already_is_shown(as_alice: Client, alice: User) -> None:
    key = queued_swap(alice).target_key
    swap = api_swap(alice, target_key=key)
    for html in pages(as_alice, swap):
        assert reverse("swaps:thumb", args=[swap.pk, "target"]) in html
        assert reverse("swaps:thumb", args=[swap.pk, "source"]) not in html


def test_a_swap_whose_pictures_could_not_be_fetched_offers_nothing_that_is_not_there(
    as_alice: Client, alice: User
) -> None:
    swap = api_swap(alice)
    settle(swap, MISSING)
    for html in pages(as_alice, swap):
        assert "source_image_url cannot be fetched." in html
        assert pictures_in(html) == []
        assert f"source={swap.pk}" not in html
        assert f"target={swap.pk}" not in html


@pytest.mark.parametrize(
    ("here", "blamed", "offered"),
    [
        ("target", "source", "target"),
        ("source", "target", "source"),
        ("source", "source", None),
        ("source", "", None),
    ],
)
def test_another_try_is_offered_with_the_photo_that_is_here(
    as_alice: Client, alice: User, here: str, blamed: Any, offered: str | None
) -> None:
    key = queued_swap(alice).source_key
    swap = api_swap(alice, **{f"{here}_key": key})
    settle(swap, errors.BadRequest("request", image=blamed))
    for html in pages(as_alice, swap):
        links = re.findall(rf'href="/swaps/new/\?(\w+)={swap.pk}"', html)
        assert links == ([offered] if offered else [])


def test_the_page_of_an_api_swap_names_task_key_and_callback(as_alice: Client, alice: User) -> None:
    key, _ = alice.api_keys.issue(alice, name="Nightly")
    swap = finished_swap(alice)
    callback = "https://hooks.example.org/faces"
    Swap.objects.filter(pk=swap.pk).update(door=Door.API, api_key=key, callback_url=callback)
    html = pages(as_alice, swap)[1]
    assert f'<code id="task">{swap.pk}</code>' in html
    assert "with the key “Nightly”" in html
    assert "/api/deliveries/" not in html
    delivery = Delivery.objects.create(swap=swap, owner=alice, url=callback)
    assert reverse("swaps:delivery", args=[delivery.pk]) in pages(as_alice, swap)[1]


def test_the_page_of_a_swap_of_the_browser_names_no_task(as_alice: Client, alice: User) -> None:
    assert 'id="task"' not in pages(as_alice, finished_swap(alice))[1]


def test_the_history_asks_as_much_for_swaps_of_the_api_as_for_others(
    as_alice: Client, alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    key, _ = alice.api_keys.issue(alice)
    for _ in range(10):
        swap = api_swap(alice, status=Status.FAILED, api_key=key, callback_url="https://x.org/")
        Delivery.objects.create(swap=swap, owner=alice, url=swap.callback_url)
    with django_assert_num_queries(4):  # session, user, swaps, what is unfinished
        as_alice.get(reverse("swaps:history"))


def test_a_poll_notices_that_the_pictures_are_here_though_the_status_is_the_same(
    as_alice: Client, alice: User
) -> None:
    swap = api_swap(alice, status=Status.QUEUED)
    htmx = {"HX-Request": "true", "HX-Current-URL": "http://testserver/swaps/"}
    before = pages(as_alice, swap)
    polls = [re.findall(r'hx-get="([^"]+)" hx-trigger="every', html)[0] for html in before]
    assert [as_alice.get(poll, headers=htmx).status_code for poll in polls] == [204, 204]
    Swap.objects.filter(pk=swap.pk).update(source_key="a.jpg", target_key="b.jpg")
    for poll in polls:
        answer = as_alice.get(poll, headers=htmx)
        assert answer.status_code == 200
        assert "Fetching…" not in answer.content.decode()
