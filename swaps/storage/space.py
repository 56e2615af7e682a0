"""Free disk space: how much there is, when to refuse pictures, which errors mean a full disk.

New pictures are refused below ``FACESWAP_MIN_FREE_MB``. Below half of it the processes that store
results wait, and what is left then belongs to the database (docs/adr/0020).
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
NO_TEMPORARY_FOLDER = "No usable temporary directory"
MIN_FREE_FILES = 100  # inodes: a disk may run out of these first
DISK_FULL_POSTGRESQL = "53100"
SQLITE_FULL = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE}


def free_bytes() -> int | None:
    """Return the free bytes of the fullest disk; None when nothing is stored on a local disk."""
    return min((_free_at(place) for place in data_folders()), default=None)


def total_bytes() -> int | None:
    """Return the size of the smallest disk in bytes.

    None when nothing is stored on a local disk.
    """
    disks = [os.statvfs(place) for place in data_folders()]
    return min((disk.f_blocks * disk.f_frsize for disk in disks), default=None)


def is_low() -> bool:
    """Return True when new pictures are to be refused."""
    return _has_less_than(settings.FACESWAP_MIN_FREE_BYTES)


def is_exhausted() -> bool:
    """Return True when there is no space for results either, so that workers wait."""
    return _has_less_than(settings.FACESWAP_MIN_FREE_BYTES // 2)


def require_free_space() -> None:
    """Raise ``errors.ApiError`` when there is no space for new pictures."""
    if is_low():
        raise disk_full_error()


def disk_full_error() -> errors.ApiError:
    """Return the error that tells a person, or an API client, to try again later."""
    return errors.ApiError("no_room", retry_after=RETRY_SECONDS)


def is_disk_full_error(error: BaseException | None) -> bool:
    """Return whether an error, or its cause, means a full disk, database or bucket."""
    while error is not None:
        if _is_disk_full(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def data_folders() -> list[Path]:
    """Return a folder on each local disk that holds pictures or the database."""
    found = []
    if isinstance(default_storage, DiskStorage):
        found.append(Path(default_storage.location))
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        found.append(Path(database["NAME"]).absolute().parent)
    return [_existing_parent(place) for place in found]


def _existing_parent(place: Path) -> Path:
    """Return the folder, or the nearest parent that exists.

    The first picture makes the media folder.
    """
    return next(folder for folder in (place, *place.parents) if folder.is_dir())


def _free_at(place: Path) -> int:
    disk = os.statvfs(place)
    if disk.f_files and disk.f_favail < MIN_FREE_FILES:
        return 0
    return disk.f_bavail * disk.f_frsize


def _has_less_than(limit: int) -> bool:
    free = free_bytes() if limit else None
    return free is not None and free < limit


def _is_disk_full(error: BaseException) -> bool:
    known: Any = error
    if isinstance(error, FileNotFoundError):  # from tempfile, when no folder has space
        return NO_TEMPORARY_FOLDER in str(error)
    if isinstance(error, OSError):
        return error.errno in {errno.ENOSPC, errno.EDQUOT}
    if getattr(known, "sqlite_errorcode", None) in SQLITE_FULL:
        return True
    if getattr(known, "sqlstate", None) == DISK_FULL_POSTGRESQL:
        return True
    response = getattr(known, "response", None)  # botocore's ClientError
    metadata = response.get("ResponseMetadata", {}) if isinstance(response, dict) else {}
    return metadata.get("HTTPStatusCode") == HTTPStatus.INSUFFICIENT_STORAGE
