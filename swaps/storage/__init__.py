"""Where pictures are kept: object keys, put, read, presigned URLs, delete.

The store itself is chosen by settings (``STORAGES``): a folder on disk, or S3.
"""

import uuid
from collections.abc import Iterable
from typing import Any

from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage

from swaps.storage.disk import FILE_SALT, WRITING, DiskStorage
from swaps.storage.keys import CONTENT_TYPES, content_type, key_for, thumb_key

__all__ = (
    "CONTENT_TYPES",
    "FILE_SALT",
    "WRITING",
    "DiskStorage",
    "content_type",
    "delete",
    "is_alive",
    "key_for",
    "key_of_presigned",
    "open_file",
    "presigned_url",
    "put",
    "read",
    "thumb_key",
)


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
    """The object key behind a presigned URL of the store; None for any other URL.

    Empty for one whose signature is wrong or has expired.
    """
    store: Any = default_storage
    key: str | None = store.key_of_url(url)
    return key


def is_alive() -> bool:
    """Put, read and delete a small object."""
    key = f"healthz/{uuid.uuid4()}.png"
    put(key, b"alive")
    try:
        return read(key) == b"alive"
    finally:
        default_storage.delete(key)
