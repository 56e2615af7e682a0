"""Guests: rows that a session names, which see what is theirs and can never sign in."""

import pytest
from django.conf import settings
from django.contrib.auth import authenticate
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from swaps import errors, storage
from swaps.accounts import guests
from swaps.clock.guests import remove_expired_swaps
from swaps.clock.retention import remove_unconfirmed_swaps
from swaps.lifecycle.settle import settle
from swaps.lifecycle.uploads import keep_upload
from swaps.models import (
    AccountStorage,
    ApiAccess,
    GuestCount,
    Quota,
    StrayFiles,
    Swap,
    Upload,
    User,
)
from tests.accounts.forms import OTHER, PASSWORD, is_in, mailed_link, reset, reset_link, sign_up
from tests.pictures import photo
from tests.swap_rows import finished, finished_swap, later
from tests.views.test_access import urls_of

pytestmark = pytest.mark.django_db
EMAIL = "new@example.com"
SAMPLES = {"source_sample": "face-2", "target_sample": "photo-3"}


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


# --- taking along --------------------------------------------------------------------------------


def tried(client: Client) -> Swap:
    """Try the samples, and have the swap made."""
    client.post(reverse("swaps:try"), {**SAMPLES, "consent": "on"})
    swap = Swap.objects.latest("created_at")
    assert swap.claim()
    settle(swap, finished())
    swap.refresh_from_db()
    return swap


def sign_up_here(client: Client, email: str = EMAIL) -> User:
    client.post(reverse("account_signup"), {"email": email, "password1": PASSWORD})
    return User.objects.get(email=email)


def sign_in_here(client: Client, email: str, password: str = PASSWORD) -> None:
    client.post(reverse("account_login"), {"login": email, "password": password})


def history_of(client: Client) -> str:
    page = client.get(reverse("swaps:history"))
    assert page.status_code == 200
    return page.text


def test_signing_up_takes_along_what_the_guest_made(client: Client) -> None:
    swap = tried(client)
    guest = swap.owner
    upload = keep_upload(guest, photo())
    stored = AccountStorage.objects.get(user=guest).size

    user = sign_up_here(client)

    swap.refresh_from_db()
    assert swap.owner == user
    assert swap.expires_at is None
    assert str(swap.pk) in history_of(client)
    assert client.get(reverse("swaps:result", args=[swap.pk])).getvalue()
    assert Upload.objects.get().owner == user
    assert storage.read(upload.key)
    assert AccountStorage.objects.get().size == stored
    assert Quota.objects.remaining_of(user) == settings.FACESWAP_FREE_SWAPS
    assert not User.objects.filter(is_guest=True).exists()
    remove_expired_swaps(later(7200))
    assert Swap.objects.visible_to(user).exists()


def test_signing_in_takes_it_along_as_well_and_adds_its_bytes(client: Client, alice: User) -> None:
    finished_swap(alice)
    hers = AccountStorage.objects.get(user=alice).size
    swap = tried(client)
    sign_in_here(client, alice.email)
    assert Swap.objects.visible_to(alice).count() == 2
    swap.refresh_from_db()
    assert AccountStorage.objects.get().size == hers + swap.stored_bytes
    swap.delete()
    assert AccountStorage.objects.get().size == hers


def test_a_wrong_password_takes_nothing_along(client: Client, alice: User) -> None:
    swap = tried(client)
    sign_in_here(client, alice.email, "wrong")
    assert client.get(reverse("swaps:detail", args=[swap.pk])).status_code == 200
    assert not Swap.objects.visible_to(alice).exists()


def test_the_next_guest_of_the_browser_is_another(client: Client, alice: User) -> None:
    tried(client)
    sign_in_here(client, alice.email)
    client.post(reverse("account_logout"))
    swap = tried(client)
    assert swap.owner.is_guest
    assert Swap.objects.visible_to(alice).count() == 1


def test_one_that_is_not_finished_goes_on_and_its_failure_is_given_back_to_the_guests_counts(
    client: Client,
) -> None:
    client.post(reverse("swaps:try"), {**SAMPLES, "consent": "on"})
    seen_by_the_worker = Swap.objects.get()
    assert seen_by_the_worker.claim()
    user = sign_up_here(client)
    settle(seen_by_the_worker, errors.NoFace("source", image="source"))
    assert Swap.objects.visible_to(user).get().is_failed
    assert set(GuestCount.objects.values_list("count", flat=True)) == {0}
    assert not Quota.objects.exists()


def test_the_bytes_of_a_result_that_comes_later_are_the_accounts(client: Client) -> None:
    client.post(reverse("swaps:try"), {**SAMPLES, "consent": "on"})
    seen_by_the_worker = Swap.objects.get()
    assert seen_by_the_worker.claim()
    user = sign_up_here(client)
    settle(seen_by_the_worker, finished())
    assert AccountStorage.objects.get(user=user).size == Swap.objects.get().stored_bytes


def test_what_has_expired_is_not_taken_along(client: Client) -> None:
    swap = tried(client)
    Swap.objects.update(expires_at=timezone.now())
    user = sign_up_here(client)
    assert not Swap.objects.visible_to(user).exists()
    assert set(swap.keys) <= {key for stray in StrayFiles.objects.all() for key in stray.keys}


def test_after_confirming_where_one_signed_up_it_is_in_the_history(client: Client) -> None:
    swap = tried(client)
    sign_up_here(client)
    client.post(mailed_link("confirm-email", EMAIL))
    remove_unconfirmed_swaps(timezone.now())
    assert str(swap.pk) in history_of(client)


@pytest.mark.parametrize("keep", [True, False])
def test_after_confirming_elsewhere_it_is_there_if_its_owner_says_so(
    client: Client, keep: bool
) -> None:
    swap = tried(client)
    user = sign_up_here(client)
    fields = {"keep_swaps": "on"} if keep else {}
    Client().post(mailed_link("confirm-email", EMAIL), fields)
    remove_unconfirmed_swaps(timezone.now())
    assert Swap.objects.visible_to(user).filter(pk=swap.pk).exists() is keep


def test_the_owner_of_a_mailbox_takes_along_while_a_strangers_swaps_are_still_being_deleted(
    client: Client,
) -> None:
    stranger = sign_up(EMAIL)
    strangers = finished_swap(User.objects.get(email=EMAIL))
    swap = tried(client)
    reset(reset_link(EMAIL))
    assert User.objects.filter(forget_swaps_before__gt=swap.created_at).exists()
    sign_in_here(client, EMAIL, OTHER)
    remove_unconfirmed_swaps(timezone.now())
    found = Swap.objects.visible_to(User.objects.get(email=EMAIL))
    assert list(found) == [swap]
    assert strangers not in found
    assert not is_in(stranger)


def test_a_sign_in_that_was_ended_meanwhile_takes_nothing_along(
    client: Client, alice: User
) -> None:
    guest = make_guest(client)
    finished_swap(guest)
    Swap.objects.update(expires_at=later(3600))
    User.objects.filter(pk=alice.pk).update(access_ended_at=timezone.now())
    guests.take_along(client.session, alice, timezone.now())
    assert not Swap.objects.filter(owner=alice).exists()


# --- what a guest is not -------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["account_signup", "account_reset_password"])
def test_no_mail_is_sent_to_a_guest(client: Client, form: str) -> None:
    guest = make_guest(client)
    Client().post(reverse(form), {"email": guest.email, "password1": PASSWORD})
    Client().post(reverse(form), {"email": "new@guest.invalid", "password1": PASSWORD})
    assert mail.outbox == []
    assert User.objects.count() == 1


def test_a_guest_gets_no_access_to_the_api(client: Client) -> None:
    guest = make_guest(client)
    assert client.post(reverse("swaps:acquire")).status_code == 302
    with pytest.raises(CommandError):
        call_command("create_api_key", guest.email)
    assert not ApiAccess.objects.exists()


def test_the_admin_lists_accounts_and_guests_when_asked(as_staff: Client, client: Client) -> None:
    guest = make_guest(client)
    users = reverse("admin:swaps_user_changelist")
    assert guest.email not in as_staff.get(users).text
    assert guest.email in as_staff.get(users, {"guests": "only"}).text
    chosen = {"action": "unblock", "_selected_action": [guest.pk]}
    as_staff.post(f"{users}?guests=only", chosen)
    guest.refresh_from_db()
    assert not guest.is_active
