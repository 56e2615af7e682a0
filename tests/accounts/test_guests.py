"""Guests: rows that a session names, which see what is theirs and can never sign in."""

import pytest
from django.contrib.auth import authenticate
from django.test import Client
from django.urls import reverse

from swaps.accounts import guests
from swaps.lifecycle.uploads import keep_upload
from swaps.models import Swap, User
from tests.pictures import photo
from tests.swap_rows import finished_swap
from tests.views.test_access import urls_of

pytestmark = pytest.mark.django_db


def make_guest(client: Client) -> User:
    """Make the guest of this browser, as its first try does."""
    session = client.session
    guest = guests.find_or_make_guest(session)
    session.save()
    client.cookies["sessionid"] = session.session_key or ""
    return guest


def test_a_browser_has_one_guest(client: Client) -> None:
    guest = make_guest(client)
    assert make_guest(client) == guest
    assert guest.is_guest
    assert make_guest(Client()) != guest


def test_a_guest_cannot_sign_in(client: Client) -> None:
    guest = make_guest(client)
    assert not guest.is_active
    assert not guest.has_usable_password()
    assert authenticate(email=guest.email, password="") is None
    client.force_login(guest)
    assert client.get(reverse("swaps:history")).status_code == 302


def test_guests_see_their_own_swap_its_pictures_and_their_uploads(client: Client) -> None:
    guest = make_guest(client)
    upload = reverse("swaps:upload", args=[keep_upload(guest, photo()).pk])
    swap = finished_swap(guest)
    for url in [upload, *urls_of(swap)]:
        expected = 302 if url == reverse("swaps:card", args=[swap.pk]) else 200  # of the history
        answer = client.get(url)
        assert answer.getvalue() or expected == 302
        assert answer.status_code == expected, url
    assert "Sign in" in client.get(reverse("swaps:detail", args=[swap.pk])).text


def test_other_guests_and_accounts_see_nothing_of_it(
    client: Client, as_charlie: Client, alice: User
) -> None:
    swap = finished_swap(make_guest(client))
    other = Client()
    make_guest(other)
    for stranger in (other, as_charlie):
        for url in urls_of(swap):
            assert stranger.get(url).status_code in {302, 404}, url
        assert stranger.post(reverse("swaps:delete", args=[swap.pk])).status_code == 404
    hers = finished_swap(alice)
    assert client.get(reverse("swaps:result", args=[hers.pk])).status_code == 404


def test_guests_delete_their_swap(client: Client) -> None:
    guest = make_guest(client)
    swap = finished_swap(guest)
    client.post(reverse("swaps:delete", args=[swap.pk]))
    assert not Swap.objects.visible_to(guest).exists()
    assert client.get(reverse("swaps:result", args=[swap.pk])).status_code == 404
