"""Fetches the pictures that an API call named by URL, before the provider gets the swap."""

from concurrent.futures import ThreadPoolExecutor

from django.db import IntegrityError, transaction

from swaps import errors, storage
from swaps.lifecycle import photos
from swaps.lifecycle.choice import pictures
from swaps.lifecycle.enqueue import enqueue_next
from swaps.lifecycle.inputs import accept, fetch
from swaps.models import AccountStorage, Swap


def fetch_pictures(swap: Swap) -> None:
    """Store the missing pictures of a claimed swap, and enqueue the swap for its provider.

    Raises ``errors.BadRequest`` or ``errors.InvalidImage`` for a picture that cannot be had, and
    ``errors.UsedUp`` when they are more than the account may store, ``errors.Overloaded`` or
    ``errors.TooManyRequests`` when too many are being opened.
    """
    named = pictures(swap.request or {})
    missing = [name for name, key in swap.input_keys.items() if not key]
    with ThreadPoolExecutor(len(missing)) as pool:  # all within the time of one
        fetched = list(pool.map(lambda name: fetch(named[name]), missing))
    keys: dict[str, str] = {}
    size = 0
    try:
        for name, data in zip(missing, fetched, strict=True):
            photo = accept(data, named[name], swap.owner_id)
            keys[name] = key = photos.photo_key(swap.pk, name, photo)
            photos.store_photo(key, photo)
            size += photos.stored_size(photo)
    except errors.InvalidImage:  # it ends the swap: nobody would ask for the others
        storage.delete(keys.values())
        raise
    try:
        with transaction.atomic():
            swap.lock()  # before the account's storage, as everybody does
            AccountStorage.objects.reserve(swap.owner_id, size)
            if swap.requeue_with_pictures(keys, size=size):
                enqueue_next(swap)
            else:
                AccountStorage.objects.release(swap.owner_id, size)
    except (Swap.DoesNotExist, IntegrityError):  # the account was deleted meanwhile
        storage.delete(keys.values())
        return
    except errors.UsedUp:
        storage.delete(keys.values())
        raise
    storage.delete(set(keys.values()) - set(swap.input_keys.values()))
