"""Folders on disk that no row names: what earlier versions and cut-off writes left behind."""

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

from swaps.models import Swap, Upload, User
from swaps.models.stray_files import ABANDONED_AFTER
from swaps.storage import WRITING, DiskStorage

MAX_FOLDERS = 100  # looked at in one step

log = logging.getLogger(__name__)


class FolderSweep:
    """Goes through the folders on disk, a few at a time, and begins anew at the end.

    It removes what earlier versions and cut-off writes left: folders without files, those of
    swaps and uploads that have no row, and files that are not whole.
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
    """Remove those that no row names.

    Nothing older than this database: it may be another one than the pictures belong to.
    """
    first = User.objects.order_by("pk").values_list("date_joined", flat=True).first()
    if first is None:
        return
    old = [folder for folder in folders if first <= _changed_at(folder) <= now - ABANDONED_AFTER]
    ids = {folder: pk for folder in old if (pk := _id_of(folder))}
    known: set[uuid.UUID] = set()
    for model in (Swap, Upload):
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
    for name in ("swaps", "uploads", "healthz", WRITING):
        with contextlib.suppress(FileNotFoundError), os.scandir(media / name) as entries:
            yield from map(Path, entries)


def _changed_at(folder: Path) -> datetime.datetime:
    try:
        return datetime.datetime.fromtimestamp(folder.stat().st_mtime, datetime.UTC)
    except OSError:  # deleted meanwhile
        return datetime.datetime.max.replace(tzinfo=datetime.UTC)


def _id_of(folder: Path) -> uuid.UUID | None:
    try:
        return uuid.UUID(folder.name)
    except ValueError:
        return None
