"""Where pictures are kept: object keys, put, read, presigned URLs, delete.

The store itself is chosen by settings (``STORAGES``): a folder on disk, or S3.
"""

import contextlib
import os
import uuid
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urljoin

from django.conf import settings
from django.core import signing
from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage, default_storage
from django.urls import reverse

CONTENT_TYPES = {".jpg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}
FILE_SALT = "swaps.file"
WRITING = "writing"  # the folder of files that are not whole yet


class DiskStorage(FileSystemStorage):
    """Files below MEDIA_ROOT; like S3, it hands out URLs that are signed and expire."""

    def url(self, name: str | None, expire: int | None = None) -> str:
        seconds = expire or settings.FACESWAP_SIGNED_URL_SECONDS
        token = signing.dumps([name, seconds], salt=FILE_SALT)
        return urljoin(settings.SITE_URL, reverse("swaps:file", args=[token]))

    def _save(self, name: str, content: "File[bytes]") -> str:
        """All of it or nothing: written under another name, flushed to the disk, and renamed."""
        part = Path(self.path(f"{WRITING}/{uuid.uuid4().hex}"))
        part.parent.mkdir(parents=True, exist_ok=True)
        try:
            with part.open("xb") as file:
                for chunk in content.chunks():
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            if self.file_permissions_mode is not None:
                part.chmod(self.file_permissions_mode)
            _rename(part, Path(self.path(name)))
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        return name

    def delete(self, name: str) -> None:
        """The last file of a folder takes the folder with it."""
        super().delete(name)
        with contextlib.suppress(OSError):
            Path(self.path(name)).parent.rmdir()


def _rename(part: Path, path: Path) -> None:
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            part.replace(path)
        except FileNotFoundError:  # somebody deleted the empty folder in between
            if not part.exists():
                raise
        else:
            return


def key_for(folder: str, pk: uuid.UUID, name: str, extension: str) -> str:
    """Like ``swaps/4b13…/source.jpg``."""
    return f"{folder}/{pk}/{name}{extension}"


def thumb_key(key: str) -> str:
    return f"{key}.thumb.webp"


def content_type(key: str) -> str:
    return CONTENT_TYPES[PurePosixPath(key).suffix]


def put(key: str, data: bytes) -> None:
    default_storage.save(key, ContentFile(data))


def read(key: str) -> bytes:
    with default_storage.open(key) as file:
        data: bytes = file.read()
    return data


def open_file(key: str) -> File[bytes]:
    """The stored file, opened for streaming; FileNotFoundError when it is gone."""
    return default_storage.open(key)


def delete(keys: Iterable[str]) -> None:
    """Delete pictures and their thumbnails; those that are gone already are no error.

    One that cannot be deleted holds up none of the others; the first error is raised at the end.
    """
    errors = []
    for key in filter(None, keys):
        for name in (key, thumb_key(key)):
            try:
                default_storage.delete(name)
            except Exception as error:  # noqa: BLE001  each store has errors of its own
                errors.append(error)
    if errors:
        raise errors[0]


def presigned_url(key: str, seconds: int) -> str:
    """A public URL of one file that works for this long."""
    url: str = default_storage.url(key, expire=seconds)  # type: ignore[call-arg]
    return url


def key_of_presigned(url: str) -> str | None:
    """The object key behind a presigned URL of the bucket; None for any other URL.

    Empty for one whose signature is wrong or has expired. The store on disk has none: its URLs are
    those of the site.
    """
    store: Any = default_storage
    if isinstance(store, DiskStorage):
        return None
    from swaps.storage_s3_urls import key_of_presigned as of_bucket

    return of_bucket(store, url)


def is_alive() -> bool:
    """Put, read and delete a small object."""
    key = f"healthz/{uuid.uuid4()}.png"
    put(key, b"alive")
    try:
        return read(key) == b"alive"
    finally:
        default_storage.delete(key)
