"""Filters of swaps: who may see them, and what is to be done with them."""

import datetime
import uuid
from functools import reduce
from operator import or_
from typing import Self

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q
from django.utils import timezone

from swaps.models.leased import LeasedFilters, Row_co
from swaps.models.quota import Door
from swaps.models.swap_states import Status
from swaps.models.user import User


class SwapFilters(LeasedFilters[Row_co]):
    """Filters swaps by who may see them and what is to be done with them."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Filter to this person's own swaps, without those removed or hidden by staff."""
        if not user.is_authenticated:
            return self.none()
        return self.filter(owner=user, is_hidden=False).exclude(status=Status.REMOVED)

    def without_small_copies(self) -> Self:
        """Filter to ended swaps whose pictures, of an earlier version, lack small copies."""
        return self.filter(has_sizes=False, finished_at__isnull=False)

    def succeeded(self) -> Self:
        return self.filter(status=Status.SUCCEEDED)

    def older_than(self, created_at: datetime.datetime, pk: uuid.UUID) -> Self:
        """Filter to the rows after this one in ``newest_first`` (keyset pagination)."""
        return self.filter(created_at__lte=created_at).filter(
            Q(created_at__lt=created_at) | Q(pk__lt=pk)
        )

    # --- the library: what its owner looks for --------------------------------------------

    def named_like(self, words: str) -> Self:
        """Filter to names that contain these words, in upper or lower case.

        SQLite, and PostgreSQL with the locale C, know the cases of ASCII letters only. So words
        with others are looked for in each of their usual spellings as well.
        """
        spellings = {words}
        if not words.isascii():
            spellings |= {words.lower(), words.upper(), words.capitalize(), words.title()}
        return self.filter(reduce(or_, (Q(name__icontains=each) for each in sorted(spellings))))

    def made_in(self, month: datetime.date) -> Self:
        """Filter to the swaps requested in the month of this day, by the site's time zone."""
        first = month.replace(day=1)
        following = (first + datetime.timedelta(days=31)).replace(day=1)
        begin, end = (
            timezone.make_aware(datetime.datetime.combine(day, datetime.time.min))
            for day in (first, following)
        )
        return self.filter(created_at__gte=begin, created_at__lt=end)

    def from_browser(self) -> Self:
        return self.filter(door=Door.BROWSER, batch__isnull=True)

    def from_api(self) -> Self:
        return self.filter(door=Door.API)

    def from_batches(self) -> Self:
        return self.filter(batch__isnull=False)

    def newer_than(self, created_at: datetime.datetime, pk: uuid.UUID) -> Self:
        """Filter to the rows before this one in ``newest_first``, the nearest first."""
        newer = self.filter(created_at__gte=created_at).filter(
            Q(created_at__gt=created_at) | Q(pk__gt=pk)
        )
        return newer.order_by("created_at", "id")
