from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F

from swaps import errors


class AccountStorageQuerySet(models.QuerySet["AccountStorage"]):
    def take(self, user_id: int, size: int) -> None:
        """Count new pictures, in one statement: racing calls do not pass the limit together.

        Raises ``errors.UsedUp`` when they do not fit.
        """
        limit = settings.FACESWAP_ACCOUNT_BYTES
        self.get_or_create(user_id=user_id)
        fitting = self.filter(user_id=user_id)
        if limit:
            fitting = fitting.filter(size__lte=limit - size)
        if not fitting.update(size=F("size") + size):
            raise errors.UsedUp(
                f"Your pictures would take more than the {limit // 1_000_000:,} MB that an account "
                "may have. Delete swaps that you no longer need, and try again."
            )

    def add(self, user_id: int, size: int) -> None:
        """Count a result, whatever the limit: its swap was accepted."""
        self.get_or_create(user_id=user_id)
        self.filter(user_id=user_id).update(size=F("size") + size)

    def give_back(self, user_id: int | None, size: int) -> None:
        """Pictures are gone. To be called by whoever won the change of their row."""
        if size and user_id is not None:
            self.filter(user_id=user_id).update(size=F("size") - size)


class AccountStorage(models.Model):
    """How many bytes the pictures of an account take, in all."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True)
    size = models.BigIntegerField(default=0)

    objects: ClassVar[AccountStorageQuerySet] = AccountStorageQuerySet.as_manager()  # type: ignore[assignment]

    def __str__(self) -> str:
        return f"{self.size / 1e6:,.1f} MB"
