"""Files follow their rows: when a row goes (an account deleted in the admin), so do its files."""

from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete, pre_delete
from django.dispatch import receiver

from swaps import storage
from swaps.models import AccountStorage, StrayFiles, Swap, Upload, User


@receiver(pre_delete, sender=User)
def lock_swaps_of_user(instance: User, **_: Any) -> None:
    """Swaps before their submissions, as everybody locks them; Django deletes the other way."""
    list(Swap.objects.select_for_update().filter(owner=instance).order_by("pk").values_list("pk"))


@receiver(post_delete, sender=Swap)
def delete_files_of_swap(instance: Swap, **_: Any) -> None:
    _delete_files(instance.keys)
    AccountStorage.objects.release(instance.owner_id, instance.stored_bytes)


@receiver(pre_delete, sender=Upload)
def lock_upload(instance: Upload, **_: Any) -> None:
    """Of several that delete it at once, one gives its bytes back to the account."""
    still_there = Upload.objects.select_for_update().filter(pk=instance.pk)
    instance.size = still_there.values_list("size", flat=True).first() or 0


@receiver(post_delete, sender=Upload)
def delete_file_of_upload(instance: Upload, **_: Any) -> None:
    _delete_files([instance.key])
    AccountStorage.objects.release(instance.owner_id, instance.size)


def _delete_files(keys: list[str]) -> None:
    """Now; and once more by the clock, should that fail or a worker store one meanwhile."""
    StrayFiles.objects.record_deleted(keys)
    transaction.on_commit(lambda: storage.delete(keys), robust=True)
