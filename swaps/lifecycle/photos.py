"""Photos into the storage: their keys are recorded before the first byte is written.

What a killed process leaves is found by that record, and deleted by the clock.
"""

import contextlib
import logging
import uuid
from collections.abc import Iterator, Mapping

from swaps import images, storage
from swaps.models import StrayFiles, User
from swaps.models.swap import PictureKind
from swaps.storage import space

log = logging.getLogger(__name__)


@contextlib.contextmanager
def stored(owner: User, photos: Mapping[str, images.Photo]) -> Iterator[StrayFiles | None]:
    """Store photos by their keys, for a row that claims them; without one they are deleted again.

    Raises ``errors.ApiError`` when the disk has no room and ``errors.UsedUp`` when the account has
    none; nothing was written then.
    """
    space.require_free_space()
    if not photos:
        yield None
        return
    stray = StrayFiles.objects.record(owner, photos, sum(map(size_of, photos.values())))
    try:
        for key, photo in photos.items():
            put(key, photo)
        yield stray
    except BaseException:
        _discard(stray)
        raise


def put(key: str, photo: images.Photo) -> None:
    storage.put(key, photo.data)
    storage.put(storage.thumb_key(key), photo.thumbnail)


def size_of(photo: images.Photo) -> int:
    """What both of its files take, in bytes."""
    return len(photo.data) + len(photo.thumbnail)


def load_photo(key: str) -> images.Photo:
    """A stored photo, ready to be stored again under another key.

    Raises ``FileNotFoundError``; and ``images.ImageRefused`` if what is stored is broken.
    """
    data = storage.read(key)
    try:
        thumbnail = storage.read(storage.thumb_key(key))
    except FileNotFoundError:
        thumbnail = images.thumbnail(data)
    width, height = images.dimensions(data)
    return images.Photo(
        data=data,
        content_type=storage.content_type(key),
        extension=key[key.rindex(".") :],
        width=width,
        height=height,
        thumbnail=thumbnail,
    )


def photo_key(pk: uuid.UUID, kind: PictureKind, photo: images.Photo) -> str:
    """The object key of one of a swap's two inputs."""
    return storage.key_for("swaps", pk, kind, photo.extension)


def _discard(stray: StrayFiles) -> None:
    """At once, where that is possible; otherwise the clock does it."""
    try:
        storage.delete(stray.keys)
        stray.release()
    except Exception:
        log.exception("stray=%s is left to the clock", stray.pk)
