"""Object storage for pictures: put, read, delete, and presigned URLs, by object key.

``STORAGES`` in the settings chooses the store: a folder on disk, or an S3 bucket.
"""

import uuid
from collections.abc import Iterable
from typing import Any

from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage

from swaps.storage.disk import FILE_SALT, PARTIAL_FOLDER, DiskStorage
from swaps.storage.keys import CONTENT_TYPES, content_type, key_for, thumb_key

__all__ = (
    "CONTENT_TYPES",
    "FILE_SALT",
    "PARTIAL_FOLDER",
    "DiskStorage",
    "content_type",
    "delete",
    "key_for",
    "key_of_presigned",
    "open_file",
    "presigned_url",
    "probe",
    "put",
    "read",
    "thumb_key",
)


def put(key: str, data: bytes) -> None:
    """Store ``data`` under this object key."""
    default_storage.save(key, ContentFile(data))


def read(key: str) -> bytes:
    """Return the bytes of an object; raises FileNotFoundError when there is none."""
    with default_storage.open(key) as file:
        data: bytes = file.read()
    return data


def open_file(key: str) -> File[bytes]:
    """Open an object for streaming; raises FileNotFoundError when there is none."""
    return default_storage.open(key)


def delete(keys: Iterable[str]) -> None:
    """Delete pictures and their thumbnails; missing ones are no error.

    All are tried, even if one cannot be deleted; then the first error is raised.
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
    """Return a public URL of one object that works for this many seconds."""
    url: str = default_storage.url(key, expire=seconds)  # type: ignore[call-arg]
    return url


def key_of_presigned(url: str) -> str | None:
    """Return the object key of a presigned URL of the store; None for any other URL.

    Returns "" when the signature is wrong or has expired.
    """
    store: Any = default_storage
    key: str | None = store.key_of_url(url)
    return key


def probe() -> bool:
    """Put, read and delete a small object; return whether the same bytes came back."""
    key = f"healthz/{uuid.uuid4()}.png"
    put(key, b"alive")
    try:
        return read(key) == b"alive"
    finally:
        default_storage.delete(key)
