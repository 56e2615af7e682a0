"""The page of a finished swap."""

from django.test import Client
from django.urls import reverse

from swaps import messages
from swaps.models import Swap, User
from tests.swap_rows import finished_swap


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
