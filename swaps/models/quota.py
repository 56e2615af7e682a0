"""How many swaps an account has left, and has spent, through each door."""

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
    """Of ``Quota`` or ``ApiAccess``: both count swaps."""

    def of(self, user: User) -> Any:
        """What an account has left; granted the first time somebody asks for it."""
        return self.of_id(user.pk)

    def of_id(self, user_id: int) -> Any:
        quota, _ = self.get_or_create(
            user_id=user_id, defaults={"remaining": self.model.free_swaps()}
        )
        return quota

    def left(self, user: User) -> int:
        """What an account has left, found without writing anything."""
        quota = self.filter(user=user).first()
        left: int = quota.remaining if quota else self.model.free_swaps()
        return left

    def spend(self, user: User) -> bool:
        """Take one swap, in one statement: of any number of racing calls none goes below zero."""
        if self._take(user):
            return True
        self.of(user)  # it may not have been granted yet
        return self._take(user)

    def _take(self, user: User) -> bool:
        left = self.filter(user=user, remaining__gt=0)
        return left.update(remaining=F("remaining") - 1, spent=F("spent") + 1) == 1

    def refund(self, user_id: int) -> None:
        """Give one back. Called only by whoever won the compare-and-set that ended the swap."""
        self.filter(user_id=user_id).update(remaining=F("remaining") + 1, spent=F("spent") - 1)

    def grant(self, user: User, amount: int) -> None:
        """Add to what is left, in one statement: what is spent meanwhile is not given back."""
        self.of(user)
        self.filter(user=user).update(remaining=F("remaining") + amount)


class QuotaBase(models.Model):
    """How many swaps an account has left through one door."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True)
    remaining = models.PositiveIntegerField()
    spent = models.PositiveIntegerField(default=0)

    objects: ClassVar[QuotaQuerySet] = QuotaQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.remaining} left, {self.spent} spent"


class Quota(QuotaBase):
    """Of swaps in the browser."""

    @staticmethod
    def free_swaps() -> int:
        return settings.FACESWAP_FREE_SWAPS
