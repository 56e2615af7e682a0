"""The history shows what is looked for, says what it leaves out, and remembers it."""

import datetime
import re
from collections.abc import Mapping

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from swaps.models import Batch, Door, Status, Swap, User
from tests.swap_rows import queued_swap
from tests.views.polling import HTMX

pytestmark = pytest.mark.django_db

HISTORY = "/swaps/"


def row(owner: User, **fields: object) -> str:
    """One finished swap of now, or as ``fields`` say; returns its id."""
    values = {"status": Status.SUCCEEDED, "finished_at": timezone.now(), **fields}
    if values["status"] == Status.QUEUED:
        values["finished_at"] = None
    keys = {f"{kind}_key": f"swaps/{kind}.jpg" for kind in ("source", "target", "result")}
    return str(Swap.objects.create(owner=owner, **keys, **values).pk)


def shown(client: Client, query: Mapping[str, str] | None = None) -> list[str]:
    page = client.get(HISTORY, query or {})
    assert page.status_code == 200
    return re.findall(r'<li id="swap-([0-9a-f-]{36})"', page.content.decode())


def test_each_filter_shows_its_own_swaps(as_alice: Client, alice: User) -> None:
    working = row(alice, status=Status.QUEUED)
    failed = row(alice, status=Status.FAILED)
    api = row(alice, door=Door.API)
    starred = row(alice, is_starred=True)
    batch = row(alice, batch=Batch.objects.create(owner=alice))
    assert shown(as_alice, {"state": "working"}) == [working]
    assert shown(as_alice, {"state": "failed"}) == [failed]
    assert shown(as_alice, {"state": "finished"}) == [batch, starred, api]
    assert shown(as_alice, {"starred": "1"}) == [starred]
    assert shown(as_alice, {"origin": "api"}) == [api]
    assert shown(as_alice, {"origin": "batch"}) == [batch]
    assert shown(as_alice, {"origin": "browser"}) == [starred, failed, working]
    assert shown(as_alice, {"origin": "browser", "state": "finished"}) == [starred]


def test_a_month_ends_where_the_next_one_begins(as_alice: Client, alice: User) -> None:
    first = row(alice, created_at=datetime.datetime(2026, 2, 1, tzinfo=datetime.UTC))
    last = row(alice, created_at=datetime.datetime(2026, 2, 28, 23, 59, 59, tzinfo=datetime.UTC))
    row(alice, created_at=datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC))
    row(alice, created_at=datetime.datetime(2026, 1, 31, 23, 59, tzinfo=datetime.UTC))
    assert shown(as_alice, {"month": "2026-02"}) == [last, first]
    assert shown(as_alice, {"month": "2025-12"}) == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Anna at the lake", "anna"),
        ("anna", "ANNA"),
        ("Anna at the lake", "  the   lake "),
        ("100 % sure_thing", "% sure_"),
        ("Éloïse", "éloïse"),
        ("MÜNCHEN", "münchen"),
        ("müller", "Müller"),
        ("Привет", "привет"),
    ],
)
def test_a_name_is_found_in_upper_and_lower_case(
    as_alice: Client, alice: User, name: str, words: str
) -> None:
    named = row(alice, name=name)
    row(alice, name="something else")
    assert shown(as_alice, {"q": words}) == [named]


def test_signs_that_databases_have_for_anything_stand_for_themselves(
    as_alice: Client, alice: User
) -> None:
    row(alice, name="a name")
    assert shown(as_alice, {"q": "a%e"}) == shown(as_alice, {"q": "a_name"}) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("state", "removed"),
        ("starred", "yes"),
        ("origin", "elsewhere"),
        *(("month", text) for text in ("2026-13", "2026", "0001-01", "9999-12", "2026-W1-1", "x")),
        ("month", "2026-01\x00"),
        ("q", "\x00"),
    ],
)
def test_an_invalid_value_counts_as_not_given(
    as_alice: Client, alice: User, name: str, value: str
) -> None:
    swap = row(alice)
    assert shown(as_alice, {name: value}) == [swap]


def test_the_next_page_has_the_same_filters(as_alice: Client, alice: User) -> None:
    starred = [row(alice, is_starred=number % 2 == 0) for number in range(60)][::2]
    query, seen = {"starred": "1", "state": "finished"}, []
    url: str | None = f"{HISTORY}?starred=1&state=finished"
    while url:
        page = as_alice.get(url, headers=HTMX if "after=" in url else {}).content.decode()
        seen += re.findall(r'<li id="swap-([0-9a-f-]{36})"', page)
        more = re.search(r'href="([^"]+after=[^"]+)"', page)
        url = more[1].replace("&amp;", "&") if more else None
        assert url is None or all(f"{name}={value}" in url for name, value in query.items())
    assert seen == starred[::-1]


# --- remembered per account --------------------------------------------------------------------


def test_filters_are_remembered_for_the_account_and_said(as_alice: Client, alice: User) -> None:
    starred, other = row(alice, is_starred=True), row(alice)
    as_alice.get(HISTORY, {"starred": "1"})
    elsewhere = Client()
    elsewhere.force_login(alice, backend="allauth.account.auth_backends.AuthenticationBackend")
    page = elsewhere.get(HISTORY).content.decode()
    assert "As you chose last: only starred" in page
    assert other not in page
    clear = re.search(r'class="clear" href="([^"]+)"', page)
    assert clear
    assert shown(elsewhere, None) == [starred]
    page = elsewhere.get(clear[1]).content.decode()
    assert "As you chose last" not in page
    assert shown(elsewhere) == [other, starred]


def test_neither_a_search_nor_an_invalid_value_changes_what_is_remembered(
    as_alice: Client, alice: User
) -> None:
    starred = row(alice, is_starred=True, name="Anna")
    other = row(alice, name="Anna")
    as_alice.get(HISTORY, {"starred": "1", "q": "anna"})
    as_alice.get(HISTORY, {"state": "bogus"})
    assert shown(as_alice) == [starred]
    as_alice.get(HISTORY, {"starred": "", "q": "anna"})
    assert shown(as_alice) == [other, starred]


def test_a_poll_and_an_older_page_neither_use_nor_change_what_is_remembered(
    as_alice: Client, alice: User
) -> None:
    row(alice, is_starred=True)
    failed = row(alice, status=Status.FAILED)
    as_alice.get(HISTORY, {"starred": "1"})
    later = (timezone.now() + datetime.timedelta(seconds=1)).isoformat()
    assert failed in shown(as_alice, {"after": f"{later}_{failed}"})
    as_alice.get(HISTORY, {"after": f"{later}_{failed}", "state": "failed"})
    as_alice.get(reverse("swaps:arrivals"), {"state": "failed"})
    alice.refresh_from_db()
    assert alice.history_filters == {"starred": "1"}


def test_a_swap_that_was_just_requested_is_not_hidden_without_a_word(
    as_alice: Client, alice: User
) -> None:
    row(alice, is_starred=True)
    as_alice.get(HISTORY, {"starred": "1"})
    queued_swap(alice)
    page = as_alice.get(HISTORY).content.decode()
    assert "1 more is being made; it is not among these." in page


def test_nothing_found_has_a_way_out(as_alice: Client, alice: User) -> None:
    swap = row(alice)
    page = as_alice.get(HISTORY, {"state": "failed"}).content.decode()
    assert "Nothing here" in page
    way_out = re.search(r'href="([^"]+)">Show all swaps', page)
    assert way_out
    assert swap in as_alice.get(way_out[1]).content.decode()


def test_the_months_of_an_account_begin_when_it_did(as_alice: Client, alice: User) -> None:
    row(alice)
    User.objects.filter(pk=alice.pk).update(
        date_joined=timezone.now() - datetime.timedelta(days=70)
    )
    page = as_alice.get(HISTORY).content.decode()
    months = re.findall(r'<option value="(\d{4}-\d\d)"', page)
    assert months[0] == f"{timezone.now():%Y-%m}"
    assert months[-1] == f"{timezone.now() - datetime.timedelta(days=70):%Y-%m}"
    assert len(months) in {3, 4}


# --- with scripts, and what it costs -----------------------------------------------------------


def test_with_scripts_the_list_alone_comes_and_the_address_follows(
    as_alice: Client, alice: User
) -> None:
    row(alice, name="Anna")
    query = {"q": "anna", "state": "finished", "starred": "", "origin": "", "month": ""}
    answer = as_alice.get(HISTORY, query, headers=HTMX)
    assert answer.headers["HX-Push-Url"] == "/swaps/?q=anna&state=finished"
    html = answer.content.decode()
    assert '<div id="library">' in html
    assert "<form" not in html.partition('<div id="library">')[0]
    assert "1 swap found." in html
    searching = {**HTMX, "HX-Current-URL": "http://testserver/swaps/?q=ann"}
    answer = as_alice.get(HISTORY, query, headers=searching)
    assert "HX-Push-Url" not in answer.headers
    assert answer.headers["HX-Replace-Url"] == "/swaps/?q=anna&state=finished"


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"q": "anna"},
        {"state": "finished", "starred": "1", "origin": "api", "month": "2026-01", "q": "zzz"},
    ],
)
def test_a_page_asks_for_session_user_its_swaps_and_the_unfinished_ones(
    as_alice: Client,
    alice: User,
    django_assert_num_queries: DjangoAssertNumQueries,
    query: dict[str, str],
) -> None:
    for number in range(30):
        row(alice, name="Anna", door=Door.API if number % 2 else Door.BROWSER)
    as_alice.get(HISTORY, query)  # what is new is remembered, once
    with django_assert_num_queries(4):
        as_alice.get(HISTORY, query)
