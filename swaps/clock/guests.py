"""What guests made goes away: their swaps after an hour, their rows a day later.

Each step is bounded, and may be done twice or by two clocks at once.
"""

import datetime

from django.db.models import Exists, OuterRef
from django.utils import timezone

from swaps.clock.rows import BATCH, for_each_row
from swaps.lifecycle.remove import remove_swap
from swaps.models import GuestCount, Swap, User

KEPT = datetime.timedelta(hours=25)  # a guest, after its last swap was requested
MAX_COUNTS = 500  # deleted at once


def remove_expired_swaps(now: datetime.datetime) -> None:
    """Remove the swaps of guests whose hour is over; whoever signed in took theirs along."""
    expired = Swap.objects.filter(expires_at__lte=now).order_by("expires_at")
    for_each_row(expired[:BATCH], remove_swap)


def delete_guests(now: datetime.datetime) -> None:
    """Delete the guests of whom nothing is left, with the records of their swaps."""
    latest = now - KEPT
    recent = Swap.objects.filter(owner=OuterRef("pk"), created_at__gt=latest)
    guests = User.objects.filter(~Exists(recent), is_guest=True, date_joined__lte=latest)
    for_each_row(guests.order_by("date_joined")[:BATCH], lambda guest: guest.delete())


def delete_counts(now: datetime.datetime) -> None:
    """Delete the counts of days that are over for everybody."""
    ended = GuestCount.objects.filter(day__lt=timezone.localdate(now) - datetime.timedelta(days=1))
    oldest = list(ended.order_by("day").values_list("pk", flat=True)[:MAX_COUNTS])
    if oldest:
        GuestCount.objects.filter(pk__in=oldest).delete()


STEPS = (remove_expired_swaps, delete_guests, delete_counts)
