"""Kept uploads: photos of refused forms for the next try, and pictures for the API playground."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction

from swaps import images, storage
from swaps.lifecycle import photos
from swaps.models import Upload, User

MAX_KEPT_UPLOADS = 6


@dataclass(frozen=True, kw_only=True)
class KeptPicture:
    """A kept picture with its URL and the seconds that it works."""

    pk: uuid.UUID
    url: str
    seconds: int


def keep_upload(owner: User, photo: images.Photo) -> Upload:
    """Keep a good photo of a refused form for the next try; an account keeps the newest few."""
    upload = Upload(owner=owner)
    upload.key = storage.key_for("uploads", upload.pk, "photo", photo.extension)
    with photos.store_photos(owner, {upload.key: photo}) as stray, transaction.atomic():
        if stray:
            stray.claim()
            upload.size = stray.size
        upload.save()
    for old in Upload.objects.filter(owner=owner).order_by("-created_at")[MAX_KEPT_UPLOADS:]:
        old.delete()
    return upload


def discard_uploads(owner: User, keys: Iterable[str]) -> None:
    """Delete kept photos that a swap has used."""
    for upload in Upload.objects.filter(owner=owner, key__in=list(keys)):
        upload.delete()


def keep_with_url(owner: User, photo: images.Photo) -> KeptPicture:
    """Keep a picture for a while, and return a URL of it that the API can be given."""
    upload = keep_upload(owner, photo)
    seconds = min(settings.FACESWAP_SIGNED_URL_SECONDS, settings.FACESWAP_KEPT_UPLOAD_HOURS * 3600)
    url = storage.presigned_url(upload.key, seconds)
    return KeptPicture(pk=upload.pk, url=url, seconds=seconds)
