"""Deletes folders on disk that no row names, left by earlier versions and cut-off writes."""

import contextlib
import datetime
import itertools
import logging
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

from django.core.files.storage import default_storage

from swaps.models import Detection, Swap, Upload, User
from swaps.models.stray_files import ABANDONED_AFTER
from swaps.storage import PARTIAL_FOLDER, DiskStorage

MAX_FOLDERS = 100  # looked at in one step

log = logging.getLogger(__name__)


class FolderSweep:
    """Sweeps the folders on disk, a few in each step, and begins anew at the end.

    It removes empty folders, those of swaps, uploads and detections that have no row, and
    unfinished files.
    """

    def __init__(self) -> None:
        self._folders: Iterator[Path] = iter(())
        self._begins_at = datetime.datetime.min.replace(tzinfo=datetime.UTC)

    def __call__(self, now: datetime.datetime) -> None:
        store = default_storage
        if not isinstance(store, DiskStorage):
            return
        some = list(itertools.islice(self._folders, MAX_FOLDERS))
        if some:
            sweep_folders(some, now)
        elif now >= self._begins_at:
            self._begins_at = now + ABANDONED_AFTER
            self._folders = _walk(Path(store.location))


def sweep_folders(folders: list[Path], now: datetime.datetime) -> None:
    """Remove the folders that no row names, and unfinished files.

    Nothing older than this database: the pictures may belong to another one.
    """
    first = User.objects.order_by("pk").values_list("date_joined", flat=True).first()
    if first is None:
        return
    old = [folder for folder in folders if first <= _changed_at(folder) <= now - ABANDONED_AFTER]
    ids = {folder: pk for folder in old if (pk := _parse_id(folder))}
    known: set[uuid.UUID] = set()
    for model in (Swap, Upload, Detection):
        known.update(model.objects.filter(pk__in=ids.values()).values_list("pk", flat=True))
    for folder in old:
        with contextlib.suppress(OSError):  # it was deleted meanwhile, or has files
            if folder.is_file():
                folder.unlink()
            elif folder in ids and ids[folder] not in known:
                log.info("folder=%s has no row and is removed", folder.name)
                shutil.rmtree(folder)
            else:
                folder.rmdir()


def _walk(media: Path) -> Iterator[Path]:
    for name in ("swaps", "uploads", "detections", "healthz", PARTIAL_FOLDER):
        with contextlib.suppress(FileNotFoundError), os.scandir(media / name) as entries:
            yield from map(Path, entries)


def _changed_at(folder: Path) -> datetime.datetime:
    """Return the time of the last change; the far future when the folder is gone."""
    try:
        return datetime.datetime.fromtimestamp(folder.stat().st_mtime, datetime.UTC)
    except OSError:  # deleted meanwhile
        return datetime.datetime.max.replace(tzinfo=datetime.UTC)


def _parse_id(folder: Path) -> uuid.UUID | None:
    try:
        return uuid.UUID(folder.name)
    except ValueError:
        return None
