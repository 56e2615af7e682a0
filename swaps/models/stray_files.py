import datetime
import uuid
from collections.abc import Iterable
from typing import ClassVar

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from swaps.models.account_storage import AccountStorage
from swaps.models.user import User

# No writer takes as long as this.
ABANDONED_AFTER = datetime.timedelta(hours=1)


class Abandoned(Exception):
    """The clock has taken them for abandoned, and deletes them."""


class StrayFilesQuerySet(models.QuerySet["StrayFiles"]):
    def record(self, owner: User, keys: Iterable[str], size: int) -> "StrayFiles":
        """Before they are written. Raises ``errors.UsedUp`` when the account has no room."""
        with transaction.atomic():
            AccountStorage.objects.take(owner.pk, size)
            return self.create(
                owner=owner,
                keys=list(keys),
                size=size,
                sweep_at=timezone.now() + ABANDONED_AFTER,
            )

    def record_deleted(self, keys: Iterable[str]) -> "StrayFiles":
        """With their row, in its transaction: a worker may be about to store one of them."""
        lease = datetime.timedelta(seconds=settings.FACESWAP_LEASE_SECONDS)
        return self.create(keys=list(keys), sweep_at=timezone.now() + 2 * lease, is_awaited=False)


class StrayFiles(models.Model):
    """Files that no other row names: being written just now, or of a row that was deleted.

    The clock deletes them at ``sweep_at``. Who gives them a row claims them in the same
    transaction; exactly one of the two succeeds.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    keys = models.JSONField()
    size = models.BigIntegerField(default=0, help_text="Counted for the account, in bytes.")
    is_awaited = models.BooleanField(default=True, help_text="A row may still claim them.")
    sweep_at = models.DateTimeField(db_index=True)

    objects: ClassVar[StrayFilesQuerySet] = StrayFilesQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name_plural = "stray files"

    def __str__(self) -> str:
        return str(self.id)

    def claim(self) -> None:
        """They have a row now. Raises ``Abandoned`` when the clock was faster."""
        if not StrayFiles.objects.filter(pk=self.pk, is_awaited=True).delete()[0]:
            raise Abandoned

    def abandon(self) -> bool:
        """Nobody may claim them any more."""
        mine = StrayFiles.objects.filter(pk=self.pk, is_awaited=True)
        return mine.update(is_awaited=False) == 1

    def forget(self) -> None:
        """They are deleted, and no longer count."""
        with transaction.atomic():
            if StrayFiles.objects.filter(pk=self.pk).delete()[0]:
                AccountStorage.objects.give_back(self.owner_id, self.size)
