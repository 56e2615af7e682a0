"""Filters of swaps: who may see them, and what is to be done with them."""

import datetime
import uuid
from typing import Self

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q

from swaps.models.leased import LeasedFilters, Row_co
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

    def older_than(self, created_at: datetime.datetime, pk: uuid.UUID) -> Self:
        """Filter to the rows after this one in ``newest_first`` (keyset pagination)."""
        return self.filter(created_at__lte=created_at).filter(
            Q(created_at__lt=created_at) | Q(pk__lt=pk)
        )
