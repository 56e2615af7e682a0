"""Racing tries of one browser, or from one address, never pass the limit together."""

import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections
from django.utils import timezone

from swaps import errors
from swaps.lifecycle.guest_request import request_guest_swap
from swaps.models import GuestCount, StrayFiles, Swap, User
from tests.pictures import photo


@pytest.mark.django_db(transaction=True)
def test_racing_tries_do_not_pass_the_limit_of_the_address() -> None:
    guests = [
        User.objects.create_user(f"{number}@guest.invalid", is_guest=True) for number in range(4)
    ]
    used_up = itertools.count()

    def request(number: int) -> None:
        guest = guests[number % len(guests)]
        try:
            request_guest_swap(
                guest, photo("tan"), photo("navy"), counters=[f"guest {guest.pk}", "address"]
            )
        except errors.UsedUp:
            next(used_up)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(request, range(8)))

    assert next(used_up) == 5
    assert Swap.objects.count() == GuestCount.objects.get(who="address").count == 3
    browsers = GuestCount.objects.exclude(who="address").values_list("count", flat=True)
    assert sum(browsers) == 3
    assert not StrayFiles.objects.exists()


@pytest.mark.django_db
def test_a_count_never_falls_below_zero() -> None:
    taken = GuestCount.objects.take(["a", "b"], timezone.localdate(), 3)
    for _ in range(2):
        GuestCount.objects.give_back(taken)
    assert set(GuestCount.objects.values_list("count", flat=True)) == {0}
