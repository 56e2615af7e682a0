"""What a person reads after saying that a result looks wrong."""

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from swaps.models import BadResult, Swap, User
from tests.swap_rows import finished_swap


def send(client: Client, swap: Swap, reason: str = "blurred") -> str:
    url = reverse("swaps:looks_wrong", args=[swap.pk])
    return client.post(url, {"reason": reason}, follow=True).content.decode()


@pytest.mark.parametrize(
    ("refunds", "said"),
    [
        (1, "was given back to you"),
        (0, "That helps to make it better"),
    ],
)
def test_it_is_said_whether_the_swap_was_given_back(
    as_alice: Client, alice: User, settings: Settings, refunds: int, said: str
) -> None:
    settings.FACESWAP_BAD_RESULT_REFUNDS = refunds
    swap = finished_swap(alice)
    page = send(as_alice, swap)
    assert said in page
    assert "“It is blurred”" in page


def test_what_was_used_up_is_said_with_the_limit(
    as_alice: Client, alice: User, settings: Settings
) -> None:
    settings.FACESWAP_BAD_RESULT_REFUNDS = 1
    send(as_alice, finished_swap(alice))
    assert "It still counts" in send(as_alice, finished_swap(alice))


def test_another_face_or_photo_is_offered_afterwards(as_alice: Client, alice: User) -> None:
    swap = finished_swap(alice)
    page = send(as_alice, swap)
    part = page[page.index('id="looks-wrong"') :][:2000]
    assert f"{reverse('swaps:new')}?target={swap.pk}" in part
    assert f"{reverse('swaps:new')}?source={swap.pk}" in part


def test_htmx_gets_the_answer_alone(as_alice: Client, alice: User) -> None:
    url = reverse("swaps:looks_wrong", args=[finished_swap(alice).pk])
    answer = as_alice.post(url, {"reason": "other"}, headers={"hx-request": "true"})
    assert 'id="looks-wrong"' in answer.content.decode()
    assert "<html" not in answer.content.decode()


@pytest.mark.parametrize("reason", ["", "of tomorrow"])
def test_another_reason_is_refused(as_alice: Client, alice: User, reason: str) -> None:
    url = reverse("swaps:looks_wrong", args=[finished_swap(alice).pk])
    assert as_alice.post(url, {"reason": reason}).status_code == 400
    assert not BadResult.objects.exists()


def test_only_the_owner_is_heard(
    as_charlie: Client, as_staff: Client, client: Client, alice: User
) -> None:
    url = reverse("swaps:looks_wrong", args=[finished_swap(alice).pk])
    statuses = [who.post(url, {"reason": "other"}).status_code for who in (as_charlie, as_staff)]
    assert statuses == [404, 404]
    assert client.post(url, {"reason": "other"}).status_code == 302
    assert not BadResult.objects.exists()
