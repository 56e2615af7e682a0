"""Filters of swaps: who may see them, and what is to be done with them."""

import datetime
import uuid
from typing import Self, TypeVar

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q

from swaps.models.swap_states import UNFINISHED, Status
from swaps.models.user import User

Row_co = TypeVar("Row_co", bound=models.Model, covariant=True)


class SwapFilters(models.QuerySet[Row_co]):
    """Filters swaps by who may see them and what is to be done with them."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Filter to this person's own swaps, without those removed or hidden by staff."""
        if not user.is_authenticated:
            return self.none()
        return self.filter(owner=user, is_hidden=False).exclude(status=Status.REMOVED)

    def unfinished(self) -> Self:
        return self.filter(status__in=UNFINISHED, finished_at__isnull=True)

    def overdue(self, now: datetime.datetime) -> Self:
        """Filter to swaps whose worker let its lease end."""
        claimed = self.filter(status=Status.PROCESSING, finished_at__isnull=True)
        return claimed.filter(lease_expires_at__lte=now)

    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-id")

    def older_than(self, created_at: datetime.datetime, pk: uuid.UUID) -> Self:
        """Filter to the rows after this one in ``newest_first`` (keyset pagination)."""
        return self.filter(created_at__lte=created_at).filter(
            Q(created_at__lt=created_at) | Q(pk__lt=pk)
        )
