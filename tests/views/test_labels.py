"""Names and stars of swaps."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from swaps.lifecycle.remove import remove_swap
from swaps.models import Swap, User
from tests.swap_rows import finished_swap

SITE = "https://faces.example.org"


def star(client: Client, swap: Swap, **fields: str) -> bool:
    client.post(reverse("swaps:star", args=[swap.pk]), fields)
    swap.refresh_from_db()
    return swap.is_starred


def rename(client: Client, swap: Swap, name: str) -> str:
    client.post(reverse("swaps:rename", args=[swap.pk]), {"name": name})
    swap.refresh_from_db()
    return swap.name


def test_a_star_that_is_sent_twice_stays(as_alice: Client, alice: User) -> None:
    swap = finished_swap(alice)
    assert [star(as_alice, swap, starred=wanted) for wanted in "1100"] == [True, True, False, False]


def test_without_a_wish_a_star_comes_and_goes(as_alice: Client, alice: User) -> None:
    swap = finished_swap(alice)
    assert [star(as_alice, swap) for _ in range(3)] == [True, False, True]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("  Anna at the sea ", "Anna at the sea"),
        ("one\r\nline\tof  words", "one line of words"),
        ("no\x00thing \u202einvisible\ud83d", "nothing invisible"),
        ("ü" * 79 + " cut", "ü" * 79),
        ("", ""),
    ],
)
def test_a_name_is_one_trimmed_line(as_alice: Client, alice: User, sent: str, kept: str) -> None:
    swap = finished_swap(alice)
    rename(as_alice, swap, "before")
    assert rename(as_alice, swap, sent.encode(errors="ignore").decode()) == kept


def test_a_name_is_shown_as_text(as_alice: Client, alice: User) -> None:
    swap = finished_swap(alice)
    rename(as_alice, swap, '<b>"Anna"</b>')
    page = as_alice.get(reverse("swaps:detail", args=[swap.pk])).content.decode()
    assert "&lt;b&gt;&quot;Anna&quot;&lt;/b&gt;" in page
    assert "<b>" not in page


@pytest.mark.parametrize("what", ["star", "rename"])
def test_only_the_owner_of_a_swap_that_is_there_labels_it(
    as_alice: Client, as_charlie: Client, client: Client, alice: User, what: str
) -> None:
    swap, hidden, removed = (finished_swap(alice) for _ in range(3))
    Swap.objects.filter(pk=hidden.pk).update(is_hidden=True)
    remove_swap(removed)
    for who, mine, status in (
        (as_charlie, swap, 404),
        (as_alice, hidden, 404),
        (as_alice, removed, 404),
        (client, swap, 302),
    ):
        url = reverse(f"swaps:{what}", args=[mine.pk])
        assert who.post(url, {"name": "x", "starred": "1"}).status_code == status
    assert as_alice.get(reverse(f"swaps:{what}", args=[swap.pk])).status_code == 405
    assert not Swap.objects.exclude(name="", is_starred=False).exists()


@pytest.mark.parametrize(("what", "said"), [("star", 'aria-pressed="true"'), ("rename", "Anna")])
def test_htmx_gets_the_part_that_changed(
    as_alice: Client, alice: User, what: str, said: str
) -> None:
    swap = finished_swap(alice)
    answer = as_alice.post(
        reverse(f"swaps:{what}", args=[swap.pk]),
        {"name": "Anna", "starred": "1"},
        headers={"hx-request": "true"},
    )
    assert answer.status_code == 200
    assert said in answer.content.decode()
    assert "<html" not in answer.content.decode()


@pytest.mark.parametrize("what", ["star", "rename"])
def test_others_are_led_back_to_where_they_came_from(
    as_alice: Client, alice: User, settings: Settings, what: str
) -> None:
    settings.SITE_URL = SITE
    swap = finished_swap(alice)
    page = reverse("swaps:detail", args=[swap.pk])
    for came_from, led_to in (
        (f"{SITE}/swaps/?starred=1&after=x", f"{SITE}/swaps/?starred=1&after=x"),
        ("https://evil.example/swaps/", page),
        ("//evil.example/", page),
        ("http://[::1/", page),
        ("", page),
    ):
        answer = as_alice.post(
            reverse(f"swaps:{what}", args=[swap.pk]), headers={"referer": came_from}
        )
        assert answer.headers["Location"] == led_to


def test_a_label_changes_nothing_else_of_a_swap(as_alice: Client, alice: User) -> None:
    swap = finished_swap(alice)
    stale = Swap.objects.get(pk=swap.pk)
    Swap.objects.filter(pk=swap.pk).update(warnings=["yaw"], finished_at=timezone.now())
    stale.rename("Anna")
    stale.star(is_starred=True)
    swap.refresh_from_db()
    assert (swap.warnings, swap.name, swap.is_starred) == (["yaw"], "Anna", True)
