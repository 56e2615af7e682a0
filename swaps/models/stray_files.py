"""Files in storage that no row names yet, or no longer, so that the clock can delete them."""

import datetime
import uuid
from collections.abc import Iterable
from typing import ClassVar

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from swaps import storage
from swaps.models.account_storage import AccountStorage
from swaps.models.user import User

# Longer than any writer takes.
ABANDONED_AFTER = datetime.timedelta(hours=1)


class Abandoned(Exception):
    """The clock has given these files up and is deleting them, so they cannot be claimed."""


class StrayFilesQuerySet(models.QuerySet["StrayFiles"]):
    """Records files before they are written and after their row is deleted."""

    def record(self, owner: User, keys: Iterable[str], size: int) -> "StrayFiles":
        """Record files that are about to be written, and count their bytes for the account.

        Raises ``errors.UsedUp`` when the account's storage is full.
        """
        with transaction.atomic():
            AccountStorage.objects.reserve(owner.pk, size)
            return self.create(
                owner=owner,
                keys=list(keys),
                size=size,
                sweep_at=timezone.now() + ABANDONED_AFTER,
            )

    def record_deleted(self, keys: Iterable[str]) -> "StrayFiles":
        """Record the files of a deleted row for a second deletion, two leases from now.

        A worker may be storing one of them at this moment. Call it in the transaction of the
        delete.
        """
        lease = datetime.timedelta(seconds=settings.FACESWAP_LEASE_SECONDS)
        return self.create(keys=list(keys), sweep_at=timezone.now() + 2 * lease, is_awaited=False)

    def delete_on_commit(self, keys: Iterable[str]) -> None:
        """Delete the files of a row on commit, and let the clock do it again.

        A crash may come between the two, or a worker store one meanwhile.
        """
        record = self.record_deleted(keys)
        transaction.on_commit(lambda: storage.delete(record.keys), robust=True)

    def record_removed(self, keys: Iterable[str]) -> "StrayFiles":
        """Record the files of a removed swap for the clock, which deletes them at its next tick.

        Call it in the transaction of the removal.
        """
        return self.create(keys=list(keys), sweep_at=timezone.now(), is_awaited=False)


class StrayFiles(models.Model):
    """Files that no other row names: just being written, or left by a deleted row.

    The clock deletes them at ``sweep_at``. Whoever gives them a row claims them in the same
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
        """Delete this record because the files have a row now.

        Raises ``Abandoned`` if the clock won.
        """
        if not StrayFiles.objects.filter(pk=self.pk, is_awaited=True).delete()[0]:
            raise Abandoned

    def abandon(self) -> bool:
        """Take the files out of reach of ``claim``; True for the caller that may delete them."""
        mine = StrayFiles.objects.filter(pk=self.pk, is_awaited=True)
        return mine.update(is_awaited=False) == 1

    def release(self) -> None:
        """Delete this record after its files, and subtract their bytes from the account."""
        with transaction.atomic():
            if StrayFiles.objects.filter(pk=self.pk).delete()[0]:
                AccountStorage.objects.release(self.owner_id, self.size)
