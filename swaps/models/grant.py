"""Grants: swaps that staff or a command added to an account's quota."""

from typing import ClassVar

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from swaps.models.quota import Door
from swaps.models.quotas import quotas
from swaps.models.user import User


class GrantQuerySet(models.QuerySet["Grant"]):
    """Makes grants."""

    def give(
        self, user: User, door: Door, amount: int, *, reason: str, by: User | None = None
    ) -> "Grant":
        """Add ``amount`` swaps to the account's quota and record who did so and why."""
        with transaction.atomic():
            quotas(door).grant(user, amount)
            return self.create(user=user, door=door, amount=amount, reason=reason, granted_by=by)


class Grant(models.Model):
    """A number of swaps added to an account's quota by staff or by a command, and the reason."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="grants")
    door = models.CharField("for swaps by", max_length=7, choices=Door, default=Door.API)
    amount = models.PositiveIntegerField()
    reason = models.CharField(max_length=200)
    granted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[GrantQuerySet] = GrantQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"{self.amount} swaps by {self.get_door_display()}: {self.reason}"
