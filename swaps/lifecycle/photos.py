"""Stores photos; their keys are recorded before the first byte is written.

What a killed process leaves is found by that record, and deleted by the clock.
"""

import contextlib
import logging
import uuid
from collections.abc import Iterator, Mapping

from swaps import images, storage
from swaps.models import StrayFiles, User
from swaps.sizes import SIDES
from swaps.storage import space

log = logging.getLogger(__name__)


@contextlib.contextmanager
def store_photos(owner: User, photos: Mapping[str, images.Photo]) -> Iterator[StrayFiles | None]:
    """Store photos under their keys, for a row that claims them within the context.

    On an error in the context they are deleted again. Raises ``errors.ApiError`` when the disk has
    no room and ``errors.UsedUp`` when the account has none; nothing was written then.
    """
    space.require_free_space()
    if not photos:
        yield None
        return
    stray = StrayFiles.objects.record(owner, photos, sum(map(stored_size, photos.values())))
    try:
        for key, photo in photos.items():
            store_photo(key, photo)
        yield stray
    except BaseException:
        _discard(stray)
        raise


def store_photo(key: str, photo: images.Photo) -> None:
    """Store a photo and its small copies."""
    storage.put_picture(key, photo.data, photo.copies)


def stored_size(photo: images.Photo) -> int:
    """Return the size of a photo with its small copies, in bytes."""
    return len(photo.data) + sum(map(len, photo.copies.values()))


def load_photo(key: str) -> images.Photo:
    """Load a stored photo with the small copies that it has, to be stored under another key.

    Raises ``FileNotFoundError``; and ``images.ImageRefused`` if what is stored is broken.
    """
    data = storage.read(key)
    copies = {}
    for side in SIDES:
        with contextlib.suppress(FileNotFoundError):
            copies[side] = storage.read(storage.copy_key(key, side))
    width, height = images.dimensions(data)
    return images.Photo(
        data=data,
        content_type=storage.content_type(key),
        extension=key[key.rindex(".") :],
        width=width,
        height=height,
        copies=copies,
    )


def photo_key(pk: uuid.UUID, name: str, photo: images.Photo) -> str:
    """Return the object key of one of a swap's inputs: ``source``, ``target``, ``source-1`` …"""
    return storage.key_for("swaps", pk, name, photo.extension)


def _discard(stray: StrayFiles) -> None:
    """Delete stray files at once, where that is possible; otherwise the clock does it."""
    try:
        storage.delete(stray.keys)
        stray.release()
    except Exception:
        log.exception("stray=%s is left to the clock", stray.pk)
