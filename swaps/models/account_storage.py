"""How many bytes of pictures each account has stored, held against ``FACESWAP_ACCOUNT_BYTES``."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F

from swaps import errors


class AccountStorageQuerySet(models.QuerySet["AccountStorage"]):
    """The counter of stored bytes; every change is a single ``UPDATE``."""

    def reserve(self, user_id: int, size: int) -> None:
        """Add ``size`` bytes of new pictures to an account, if they fit below its limit.

        Check and addition are one statement, so racing calls cannot pass the limit together. Raises
        ``errors.UsedUp`` when the pictures do not fit.
        """
        limit = settings.FACESWAP_ACCOUNT_BYTES
        self.get_or_create(user_id=user_id)
        fitting = self.filter(user_id=user_id)
        if limit:
            fitting = fitting.filter(size__lte=limit - size)
        if not fitting.update(size=F("size") + size):
            raise errors.UsedUp("storage", limit=limit // 1_000_000)

    def add(self, user_id: int, size: int) -> None:
        """Add the bytes of a result, even beyond the limit: its swap has been accepted already."""
        self.get_or_create(user_id=user_id)
        self.filter(user_id=user_id).update(size=F("size") + size)

    def release(self, user_id: int | None, size: int) -> None:
        """Subtract the bytes of deleted pictures.

        Only whoever won the change of their row calls it.
        """
        if size and user_id is not None:
            self.filter(user_id=user_id).update(size=F("size") - size)


class AccountStorage(models.Model):
    """Counts the bytes that all pictures of one account take."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True)
    size = models.BigIntegerField(default=0)

    objects: ClassVar[AccountStorageQuerySet] = AccountStorageQuerySet.as_manager()  # type: ignore[assignment]

    def __str__(self) -> str:
        return f"{self.size / 1e6:,.1f} MB"
