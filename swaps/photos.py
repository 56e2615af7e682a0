"""Photos into the storage: their keys are recorded before the first byte is written.

What a killed process leaves is found by that record, and deleted by the clock.
"""

import contextlib
import logging
from collections.abc import Iterator, Mapping

from swaps import images, storage, storage_space
from swaps.models import StrayFiles, User

log = logging.getLogger(__name__)


@contextlib.contextmanager
def stored(owner: User, photos: Mapping[str, images.Photo]) -> Iterator[StrayFiles | None]:
    """Store photos by their keys, for a row that claims them; without one they are deleted again.

    Raises ``errors.ApiError`` when the disk has no room and ``errors.UsedUp`` when the account has
    none; nothing was written then.
    """
    storage_space.check()
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


def _discard(stray: StrayFiles) -> None:
    """At once, where that is possible; otherwise the clock does it."""
    try:
        storage.delete(stray.keys)
        stray.forget()
    except Exception:
        log.exception("stray=%s is left to the clock", stray.pk)
