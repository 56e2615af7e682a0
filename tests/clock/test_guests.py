"""What guests made goes after an hour, their rows a day later, and counts when the day is over."""

import datetime

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from swaps import storage
from swaps.clock import guests, steps
from swaps.clock.rows import BATCH
from swaps.models import AccountStorage, GuestCount, Status, Swap, User
from tests.swap_rows import finished_swap, later

pytestmark = pytest.mark.django_db
HOUR, DAY = 3600, 24 * 3600


@pytest.fixture
def guest() -> User:
    return User.objects.create_user("guest-1@guest.invalid", is_guest=True, is_active=False)


def expiring(swap: Swap) -> Swap:
    swap.expires_at = later(HOUR)
    swap.save(update_fields=["expires_at"])
    return swap


def test_after_an_hour_the_pictures_of_a_guest_are_gone(guest: User, alice: User) -> None:
    swap, hers = expiring(finished_swap(guest)), finished_swap(alice)
    guests.remove_expired_swaps(later(HOUR - 1))
    assert storage.read(swap.result_key)
    guests.remove_expired_swaps(later(HOUR + 1))
    swap.refresh_from_db()
    assert swap.status == Status.REMOVED
    for key in swap.keys:
        with pytest.raises(FileNotFoundError):
            storage.read(key)
    assert AccountStorage.objects.get(user=guest).size == 0
    assert storage.read(hers.result_key)


def test_one_that_is_still_waiting_goes_as_well_and_is_given_back(client: Client) -> None:
    form = {"source_sample": "face-1", "target_sample": "photo-1", "consent": "on"}
    client.post(reverse("swaps:try"), form)
    guests.remove_expired_swaps(later(HOUR + 1))
    assert Swap.objects.get().status == Status.REMOVED
    assert set(GuestCount.objects.values_list("count", flat=True)) == {0}


def test_what_is_gone_is_not_looked_at_again(
    guest: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    expiring(finished_swap(guest))
    guests.remove_expired_swaps(later(2 * HOUR))
    with django_assert_num_queries(1):
        guests.remove_expired_swaps(later(2 * HOUR))


def test_so_many_at_once(guest: User) -> None:
    ended = {"owner": guest, "status": Status.SUCCEEDED, "expires_at": timezone.now()}
    Swap.objects.bulk_create(Swap(**ended) for _ in range(BATCH + 1))
    guests.remove_expired_swaps(later(1))
    assert Swap.objects.filter(expires_at__isnull=False).count() == 1


def test_a_guest_goes_a_day_after_the_last_swap(guest: User, alice: User) -> None:
    other = User.objects.create_user("guest-2@guest.invalid", is_guest=True, is_active=False)
    User.objects.update(date_joined=timezone.now() - datetime.timedelta(days=2))
    expiring(finished_swap(guest))
    guests.delete_guests(later(HOUR))
    assert set(User.objects.all()) == {guest, alice}
    assert not User.objects.filter(pk=other.pk).exists()
    guests.delete_guests(later(DAY + HOUR + 1))
    assert User.objects.get() == alice
    assert not Swap.objects.exists()


def test_counts_are_kept_while_their_day_lasts_somewhere() -> None:
    today = timezone.localdate()
    for days in range(4):
        day = today - datetime.timedelta(days=days)
        GuestCount.objects.create(who=f"{days}", day=day, count=1)
    guests.delete_counts(timezone.now())
    assert set(GuestCount.objects.values_list("who", flat=True)) == {"0", "1"}


def test_the_clock_does_all_that() -> None:
    assert set(guests.STEPS) <= set(steps.STEPS)
