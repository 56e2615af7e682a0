"""What spans several rows: request a swap, end it, remove it, keep a photo for the next try."""

import logging
import uuid
from collections.abc import Iterable

from django.db import transaction

from swaps import errors, images, storage
from swaps.models import Quota, Status, Swap, Upload, User
from swaps.models.swap import UNFINISHED
from swaps.providers.base import Finished

log = logging.getLogger(__name__)

MOST_KEPT_UPLOADS = 6


def request_swap(owner: User, source: images.Photo, target: images.Photo) -> Swap:
    """Store both photos, then spend, create and enqueue in one transaction.

    Raises ``errors.UsedUp`` when the quota is spent; nothing is left behind then.
    """
    pk = uuid.uuid4()
    keys = {
        name: storage.key_for("swaps", pk, name, photo.extension)
        for name, photo in (("source", source), ("target", target))
    }
    try:
        _store(keys["source"], source)
        _store(keys["target"], target)
        with transaction.atomic():
            if not Quota.objects.spend(owner):
                raise errors.UsedUp("You have used all your swaps.")
            swap = Swap.objects.create(
                pk=pk, owner=owner, source_key=keys["source"], target_key=keys["target"]
            )
            enqueue(swap)
    except BaseException:
        storage.delete(keys.values())
        raise
    log.info("swap=%s requested", pk)
    return swap


def enqueue(swap: Swap) -> None:
    from swaps.tasks import run_swap  # tasks end swaps through this module

    run_swap.enqueue(str(swap.pk))


def settle(swap: Swap, outcome: Finished | errors.SwapError) -> None:
    """The only way a swap ends: status, files, refund on failure, one log line."""
    if isinstance(outcome, errors.SwapError):
        _settle_failed(swap, outcome)
    else:
        _settle_succeeded(swap, outcome)


def _settle_succeeded(swap: Swap, finished: Finished) -> None:
    key = storage.key_for("swaps", swap.pk, "result", finished.extension)
    storage.put(key, finished.data)
    storage.put(storage.thumb_key(key), finished.thumbnail)
    try:
        succeeded = swap.succeed(
            result_key=key,
            width=finished.width,
            height=finished.height,
            size=len(finished.data),
            warnings=list(finished.warnings),
        )
    except Swap.DoesNotExist:  # the account was deleted meanwhile
        storage.delete([key])
        return
    if succeeded:
        log.info("swap=%s succeeded attempts=%d seconds=%.2f", swap.pk, swap.attempts, swap.seconds)
    elif not swap.is_succeeded:  # removed meanwhile: what was just stored must not stay
        storage.delete([key])


def _settle_failed(swap: Swap, error: errors.SwapError) -> None:
    with transaction.atomic():
        failed = swap.fail(code=error.code, message=error.message, image=error.image)
        if failed:
            Quota.objects.refund(swap.owner_id)
    if failed:
        log.info("swap=%s failed code=%s attempts=%d", swap.pk, error.code, swap.attempts)


def remove(swap: Swap) -> None:
    """Delete a swap: its files go at once; an unfinished one is given back to the quota."""
    with transaction.atomic():
        if swap.remove(was=UNFINISHED):
            Quota.objects.refund(swap.owner_id)
        else:
            swap.remove(was=(Status.SUCCEEDED, Status.FAILED))
    storage.delete(swap.keys)
    log.info("swap=%s removed", swap.pk)


def keep_upload(owner: User, photo: images.Photo) -> Upload:
    """Keep a good photo of a refused form for the next try; an account keeps the newest few."""
    upload = Upload(owner=owner)
    upload.key = storage.key_for("uploads", upload.pk, "photo", photo.extension)
    try:
        _store(upload.key, photo)
        upload.save()
    except BaseException:
        storage.delete([upload.key])
        raise
    for old in Upload.objects.filter(owner=owner).order_by("-created_at")[MOST_KEPT_UPLOADS:]:
        old.delete()
    return upload


def forget_uploads(owner: User, keys: Iterable[str]) -> None:
    """These kept photos have been used."""
    for upload in Upload.objects.filter(owner=owner, key__in=list(keys)):
        upload.delete()


def load_photo(key: str) -> images.Photo:
    """A stored photo, ready to be stored again under another key."""
    data = storage.read(key)
    width, height = images.dimensions(data)
    return images.Photo(
        data=data,
        content_type=storage.content_type(key),
        extension=key[key.rindex(".") :],
        width=width,
        height=height,
    )


def _store(key: str, photo: images.Photo) -> None:
    storage.put(key, photo.data)
    storage.put(storage.thumb_key(key), images.thumbnail(photo.data))
