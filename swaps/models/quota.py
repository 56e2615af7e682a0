"""Quotas: how many swaps an account has left and has spent, counted for each door."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F

from swaps.models.user import User


class Door(models.TextChoices):
    """How a swap came in. Each door has a quota of its own."""

    BROWSER = "browser", "Browser"
    API = "api", "API"


class QuotaQuerySet(models.QuerySet[Any]):
    """Spends, refunds and grants swaps; it works on ``Quota`` and on ``ApiAccess`` rows alike."""

    def get_or_grant(self, user: User) -> Any:
        """Return the account's quota; the first time, create it with the free swaps."""
        return self.get_or_grant_by_id(user.pk)

    def get_or_grant_by_id(self, user_id: int) -> Any:
        quota, _ = self.get_or_create(
            user_id=user_id, defaults={"remaining": self.model.free_swaps()}
        )
        return quota

    def remaining_of(self, user: User) -> int:
        """Return how many swaps the account has left, without creating its row."""
        quota = self.filter(user=user).first()
        left: int = quota.remaining if quota else self.model.free_swaps()
        return left

    def spend(self, user: User) -> bool:
        """Take one swap from the quota; False when none is left.

        One statement checks and subtracts, so racing calls never take it below zero.
        """
        if self._decrement(user):
            return True
        self.get_or_grant(user)  # it may not have been granted yet
        return self._decrement(user)

    def _decrement(self, user: User) -> bool:
        left = self.filter(user=user, remaining__gt=0)
        return left.update(remaining=F("remaining") - 1, spent=F("spent") + 1) == 1

    def refund(self, user_id: int) -> None:
        """Return one swap to the quota.

        Only whoever ended the swap by compare-and-set may call this.
        """
        self.filter(user_id=user_id).update(remaining=F("remaining") + 1, spent=F("spent") - 1)

    def grant(self, user: User, amount: int) -> None:
        """Add ``amount`` swaps to the quota in one statement, whatever is spent meanwhile."""
        self.get_or_grant(user)
        self.filter(user=user).update(remaining=F("remaining") + amount)


class QuotaBase(models.Model):
    """The swaps that an account has left and has spent through one door."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True)
    remaining = models.PositiveIntegerField()
    spent = models.PositiveIntegerField(default=0)

    objects: ClassVar[QuotaQuerySet] = QuotaQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.remaining} left, {self.spent} spent"


class Quota(QuotaBase):
    """The quota for swaps requested in the browser."""

    @staticmethod
    def free_swaps() -> int:
        return settings.FACESWAP_FREE_SWAPS
