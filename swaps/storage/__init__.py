"""Object storage for pictures: put, read, delete, and presigned URLs, by object key.

``STORAGES`` in the settings chooses the store: a folder on disk, or an S3 bucket.
"""

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage

from swaps.storage.disk import FILE_SALT, PARTIAL_FOLDER, DiskStorage
from swaps.storage.keys import (
    CONTENT_TYPES,
    content_type,
    copy_key,
    copy_keys,
    key_for,
    keys_from,
)

__all__ = (
    "CONTENT_TYPES",
    "FILE_SALT",
    "PARTIAL_FOLDER",
    "DiskStorage",
    "content_type",
    "copy_key",
    "copy_keys",
    "delete",
    "key_for",
    "key_of_presigned",
    "keys_from",
    "open_file",
    "presigned_url",
    "probe",
    "put",
    "put_copies",
    "put_picture",
    "read",
)


def put(key: str, data: bytes) -> None:
    """Store ``data`` under this object key."""
    default_storage.save(key, ContentFile(data))


def put_picture(key: str, data: bytes, copies: Mapping[int, bytes]) -> None:
    """Store a picture with its small copies, given by their longer sides."""
    put(key, data)
    put_copies(key, copies)


def put_copies(key: str, copies: Mapping[int, bytes]) -> None:
    """Store small copies of a picture, given by their longer sides."""
    for side, data in copies.items():
        put(copy_key(key, side), data)


def read(key: str) -> bytes:
    """Return the bytes of an object; raises FileNotFoundError when there is none."""
    with default_storage.open(key) as file:
        data: bytes = file.read()
    return data


def open_file(key: str) -> File[bytes]:
    """Open an object for streaming; raises FileNotFoundError when there is none."""
    return default_storage.open(key)


def delete(keys: Iterable[str]) -> None:
    """Delete pictures and their small copies; missing ones are no error.

    All are tried, even if one cannot be deleted; then the first error is raised.
    """
    errors = []
    for key in filter(None, keys):
        for name in (key, *copy_keys(key)):
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
