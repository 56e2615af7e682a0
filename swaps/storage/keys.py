"""Object keys: the names of pictures in any store, and the content type that a key stands for."""

import uuid
from pathlib import PurePosixPath

CONTENT_TYPES = {".jpg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}


def key_for(folder: str, pk: uuid.UUID, name: str, extension: str) -> str:
    """Return an object key like ``swaps/4b13…/source.jpg``."""
    return f"{folder}/{pk}/{name}{extension}"


def thumb_key(key: str) -> str:
    """Return the object key of a picture's thumbnail."""
    return f"{key}.thumb.webp"


def content_type(key: str) -> str:
    """Return the MIME type of a picture by the extension of its key; raises KeyError for others."""
    return CONTENT_TYPES[PurePosixPath(key).suffix]
