from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F

from swaps.models.user import User


class QuotaQuerySet(models.QuerySet["Quota"]):
    def of(self, user: User) -> "Quota":
        """The quota of an account; granted the first time somebody asks for it."""
        quota, _ = self.get_or_create(
            user=user, defaults={"remaining": settings.FACESWAP_FREE_SWAPS}
        )
        return quota

    def spend(self, user: User) -> bool:
        """Take one swap, in one statement: of any number of racing calls none goes below zero."""
        self.of(user)
        spent = self.filter(user=user, remaining__gt=0).update(
            remaining=F("remaining") - 1, spent=F("spent") + 1
        )
        return spent == 1

    def refund(self, user_id: int) -> None:
        """Give one back. Called only by whoever won the compare-and-set that ended the swap."""
        self.filter(user_id=user_id).update(remaining=F("remaining") + 1, spent=F("spent") - 1)


class Quota(models.Model):
    """How many swaps an account has left."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True)
    remaining = models.PositiveIntegerField()
    spent = models.PositiveIntegerField(default=0)

    objects: ClassVar[QuotaQuerySet] = QuotaQuerySet.as_manager()  # type: ignore[assignment]

    def __str__(self) -> str:
        return f"{self.remaining} left, {self.spent} spent"
