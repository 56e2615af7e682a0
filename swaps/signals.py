"""Deletes files with their rows.

When a row is deleted (an account in the admin), so are its files.
"""

from typing import Any

from django.db.models.signals import post_delete, pre_delete
from django.dispatch import receiver

from swaps.models import AccountStorage, Detection, StrayFiles, Swap, Upload, User


@receiver(pre_delete, sender=User)
def lock_swaps_of_user(instance: User, **_: Any) -> None:
    """Lock swaps before their submissions, as all code does; Django deletes in the other order."""
    list(Swap.objects.select_for_update().filter(owner=instance).order_by("pk").values_list("pk"))


@receiver(post_delete, sender=Swap)
def delete_files_of_swap(instance: Swap, **_: Any) -> None:
    StrayFiles.objects.delete_on_commit(instance.keys)
    AccountStorage.objects.release(instance.owner_id, instance.stored_bytes)


@receiver(pre_delete, sender=Upload)
def lock_upload(instance: Upload, **_: Any) -> None:
    """Read its size under a lock, so that only one of several racing deletes releases its bytes.

    Its owner as well: a guest that signs in takes it along.
    """
    still_there = Upload.objects.select_for_update().filter(pk=instance.pk)
    found = still_there.values_list("size", "owner_id").first()
    instance.size, instance.owner_id = found or (0, instance.owner_id)


@receiver(post_delete, sender=Upload)
def delete_file_of_upload(instance: Upload, **_: Any) -> None:
    StrayFiles.objects.delete_on_commit([instance.key])
    AccountStorage.objects.release(instance.owner_id, instance.size)


@receiver(pre_delete, sender=Detection)
def lock_detection(instance: Detection, **_: Any) -> None:
    """Read what is stored under a lock: it may have been looked at, and released, meanwhile."""
    still_there = Detection.objects.select_for_update().filter(pk=instance.pk)
    stored = still_there.values_list("image_key", "stored_bytes").first()
    instance.image_key, instance.stored_bytes = stored or ("", 0)


@receiver(post_delete, sender=Detection)
def delete_file_of_detection(instance: Detection, **_: Any) -> None:
    if instance.image_key:
        StrayFiles.objects.delete_on_commit([instance.image_key])
        AccountStorage.objects.release(instance.owner_id, instance.stored_bytes)
