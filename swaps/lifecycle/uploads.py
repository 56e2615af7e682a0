"""Uploads: photos sent ahead of their swap, My faces, and pictures for the API playground."""

import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from swaps import errors, heartbeat, images, queue, storage
from swaps.lifecycle import photos
from swaps.models import Look, Upload, User
from swaps.models.upload import lease_end
from swaps.runtime import request_slots

MAX_MY_FACES = 12
POLL_SECONDS = 0.05
MAX_KEPT_UPLOADS = settings.FACESWAP_MAX_BATCH + 10  # a batch, and what was chosen before


@dataclass(frozen=True, kw_only=True)
class KeptPicture:
    """A kept picture with its URL and the seconds that it works."""

    pk: uuid.UUID
    url: str
    seconds: int


def keep_upload(owner: User, photo: images.Photo, *, is_kept: bool = False) -> Upload:
    """Store a photo ahead of its swap, and let a worker look at it.

    An account has the newest few of them, besides those that it keeps on purpose (``is_kept``).
    Raises ``errors.UsedUp`` when the account's storage is full.
    """
    upload = Upload(owner=owner, width=photo.width, height=photo.height, is_kept=is_kept)
    upload.key = storage.key_for("uploads", upload.pk, "photo", photo.extension)
    upload.lease_expires_at = lease_end(timezone.now())
    with photos.store_photos(owner, {upload.key: photo}) as stray, transaction.atomic():
        if stray:
            stray.claim()
            upload.size = stray.size
        upload.save()
        queue.enqueue("look_at_photo", upload.pk)
    passing = Upload.objects.passing().filter(owner=owner)
    for old in passing.order_by("-created_at")[MAX_KEPT_UPLOADS:]:
        old.delete()
    return upload


def set_kept(upload: Upload, *, is_kept: bool) -> None:
    """Keep a photo among My faces, or no longer. Raises ``errors.UsedUp`` when there are many."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=upload.owner_id)  # one at a time of an account
        _set_kept(upload, is_kept=is_kept)


def _set_kept(upload: Upload, *, is_kept: bool) -> None:
    others = Upload.objects.my_faces().filter(owner=upload.owner).exclude(pk=upload.pk)
    if is_kept and others.count() >= MAX_MY_FACES:
        raise errors.UsedUp("my_faces", limit=MAX_MY_FACES)
    upload.is_kept = is_kept
    upload.created_at = timezone.now()  # it goes in its time from now, or comes first
    upload.save(update_fields=["is_kept", "created_at"])


def has_looker() -> bool:
    """Return whether there is a worker who could look at photos."""
    return heartbeat.is_alive("worker", timezone.now())


def wait_until_seen(uploads: Sequence[Upload], seconds: float) -> None:
    """Wait until a worker has looked at these photos, but not for longer than this."""
    deadline = time.monotonic() + seconds
    looking = Upload.objects.filter(pk__in=[one.pk for one in uploads], look=Look.LOOKING)
    while looking.exists() and time.monotonic() < deadline:
        with request_slots.released_slot():
            time.sleep(POLL_SECONDS)
    for upload in uploads:
        upload.refresh_from_db()


def discard_uploads(owner: User, keys: Iterable[str]) -> None:
    """Delete photos that a swap has used, but not those of My faces."""
    for upload in Upload.objects.passing().filter(owner=owner, key__in=list(keys)):
        upload.delete()


def keep_with_url(owner: User, photo: images.Photo) -> KeptPicture:
    """Keep a picture for a while, and return a URL of it that the API can be given."""
    upload = keep_upload(owner, photo)
    seconds = min(settings.FACESWAP_SIGNED_URL_SECONDS, settings.FACESWAP_KEPT_UPLOAD_HOURS * 3600)
    url = storage.presigned_url(upload.key, seconds)
    return KeptPicture(pk=upload.pk, url=url, seconds=seconds)
