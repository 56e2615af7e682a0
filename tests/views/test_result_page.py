"""The page of a finished swap."""

import re

from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from swaps import messages
from swaps.models import Swap, User
from tests.swap_rows import finished_swap, queued_swap


def test_all_warnings_stand_above_the_picture_in_plain_words(as_alice: Client, alice: User) -> None:
    swap = finished_swap(alice)
    Swap.objects.filter(pk=swap.pk).update(warnings=["yaw", "small_face", "of tomorrow"])
    page = as_alice.get(reverse("swaps:detail", args=[swap.pk])).content.decode()
    picture = page.index(reverse("swaps:result", args=[swap.pk]))
    for code in ("yaw", "small_face"):
        assert 0 < page.index(messages.TEXTS[f"warning.{code}"]) < picture
    assert page.count('class="note small"') == 2


def test_without_warnings_there_is_no_room_for_them(as_alice: Client, alice: User) -> None:
    swap = finished_swap(alice)
    Swap.objects.filter(pk=swap.pk).update(warnings=[])
    page = as_alice.get(reverse("swaps:detail", args=[swap.pk])).content.decode()
    assert 'class="warnings"' not in page


def page_of(client: Client, swap: Swap) -> str:
    return client.get(reverse("swaps:detail", args=[swap.pk])).content.decode()


def neighbours(page: str) -> dict[str, str]:
    return {way: url for url, way in re.findall(r'href="([^"]+)" rel="(prev|next)"', page)}


def test_the_finished_swaps_before_and_after_it_are_a_step_away(
    as_alice: Client, alice: User, charlie: User
) -> None:
    oldest, older, hidden, swap, newer = (finished_swap(alice) for _ in range(5))
    queued_swap(alice)
    finished_swap(charlie)
    Swap.objects.filter(pk=hidden.pk).update(is_hidden=True)
    Swap.objects.filter(pk__in=[older.pk, swap.pk]).update(created_at=swap.created_at)
    first, second = sorted([older, swap], key=lambda each: each.pk)  # requested at the same moment

    assert neighbours(page_of(as_alice, second)) == {
        "prev": reverse("swaps:detail", args=[newer.pk]),
        "next": reverse("swaps:detail", args=[first.pk]),
    }
    assert neighbours(page_of(as_alice, first))["next"] == reverse("swaps:detail", args=[oldest.pk])
    assert "next" not in neighbours(page_of(as_alice, oldest))
    assert "prev" not in neighbours(page_of(as_alice, newer))


def test_titles_tell_swaps_apart(as_alice: Client, alice: User) -> None:
    swap, waiting = finished_swap(alice), queued_swap(alice)
    assert f"<title>Swap of {swap.created_at:%-d %b %Y, %H:%M}" in page_of(as_alice, swap)
    assert "<title>Swapping: Swap of" in page_of(as_alice, waiting)
    swap.rename("Anna")
    assert "<title>Anna · Faceswap" in page_of(as_alice, swap)


def test_the_picture_that_arrives_changes_the_title(as_alice: Client, alice: User) -> None:
    swap = finished_swap(alice)
    url = reverse("swaps:detail", args=[swap.pk])
    answer = as_alice.get(url, {"progress": "processing"}, headers={"hx-request": "true"})
    assert "<title>Swap of" in answer.text


def test_the_page_of_a_result_takes_few_queries(
    as_alice: Client, alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    swap = finished_swap(alice)
    for _ in range(3):
        finished_swap(alice)
    with django_assert_max_num_queries(7):  # session, account, swap, two neighbours, link, report
        page_of(as_alice, swap)
