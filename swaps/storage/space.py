"""How much room is left on the disks that the site writes to, and how a full one is told.

New pictures are refused below ``FACESWAP_MIN_FREE_MB``. Below half of it the processes that store
results wait. What is left then belongs to the database (docs/adr/0020).
"""

import errno
import os
import sqlite3
from http import HTTPStatus
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.storage import default_storage

from swaps import errors
from swaps.storage import DiskStorage

RETRY_SECONDS = 60
NO_ROOM = "There is no room for new pictures at the moment. Nothing was counted. Try again later."
NO_TEMPORARY = "No usable temporary directory"
MIN_FREE_FILES = 100  # a disk may run out of these first
DISK_FULL_POSTGRESQL = "53100"
SQLITE_FULL = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE}


def free_bytes() -> int | None:
    """Of the fullest disk; None where neither pictures nor the database are on a disk of ours."""
    return min((_free_at(place) for place in places()), default=None)


def total_bytes() -> int | None:
    """Of the smallest disk."""
    disks = [os.statvfs(place) for place in places()]
    return min((disk.f_blocks * disk.f_frsize for disk in disks), default=None)


def is_low() -> bool:
    """New pictures are refused."""
    return _has_less_than(settings.FACESWAP_MIN_FREE_BYTES)


def is_out() -> bool:
    """Results would not fit either: those who make them wait."""
    return _has_less_than(settings.FACESWAP_MIN_FREE_BYTES // 2)


def check() -> None:
    """Before new pictures are worked on; raises ``errors.ApiError``."""
    if is_low():
        raise no_room()


def no_room() -> errors.ApiError:
    return errors.ApiError(NO_ROOM, retry_after=RETRY_SECONDS)


def is_full(error: BaseException | None) -> bool:
    """Whether it comes of a disk without room: that of a file, the database or the bucket."""
    while error is not None:
        if _says_full(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def places() -> list[Path]:
    """A folder on each disk that pictures or the database are on."""
    found = []
    if isinstance(default_storage, DiskStorage):
        found.append(Path(default_storage.location))
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        found.append(Path(database["NAME"]).absolute().parent)
    return [_nearest(place) for place in found]


def _nearest(place: Path) -> Path:
    """The media folder is made with the first picture."""
    return next(folder for folder in (place, *place.parents) if folder.is_dir())


def _free_at(place: Path) -> int:
    disk = os.statvfs(place)
    if disk.f_files and disk.f_favail < MIN_FREE_FILES:
        return 0
    return disk.f_bavail * disk.f_frsize


def _has_less_than(limit: int) -> bool:
    free = free_bytes() if limit else None
    return free is not None and free < limit


def _says_full(error: BaseException) -> bool:
    known: Any = error
    if isinstance(error, FileNotFoundError):  # of ``tempfile``, where all its places are full
        return NO_TEMPORARY in str(error)
    if isinstance(error, OSError):
        return error.errno in {errno.ENOSPC, errno.EDQUOT}
    if getattr(known, "sqlite_errorcode", None) in SQLITE_FULL:
        return True
    if getattr(known, "sqlstate", None) == DISK_FULL_POSTGRESQL:
        return True
    response = getattr(known, "response", None)  # of an S3 server
    metadata = response.get("ResponseMetadata", {}) if isinstance(response, dict) else {}
    return metadata.get("HTTPStatusCode") == HTTPStatus.INSUFFICIENT_STORAGE
