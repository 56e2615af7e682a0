"""Files follow their rows: when a row goes (an account deleted in the admin), so do its files."""

from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete, pre_delete
from django.dispatch import receiver

from swaps import storage
from swaps.models import Swap, Upload, User


@receiver(pre_delete, sender=User)
def lock_swaps_of_user(instance: User, **_: Any) -> None:
    """Swaps before their submissions, as everybody locks them; Django deletes the other way."""
    list(Swap.objects.select_for_update().filter(owner=instance).order_by("pk").values_list("pk"))


@receiver(post_delete, sender=Swap)
def delete_files_of_swap(instance: Swap, **_: Any) -> None:
    keys = instance.keys  # once it is deleted it has no id
    transaction.on_commit(lambda: storage.delete(keys), robust=True)


@receiver(post_delete, sender=Upload)
def delete_file_of_upload(instance: Upload, **_: Any) -> None:
    transaction.on_commit(lambda: storage.delete([instance.key]), robust=True)
