"""Object keys: the names under which pictures lie in any store, and the type a key stands for."""

import uuid
from pathlib import PurePosixPath

CONTENT_TYPES = {".jpg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}


def key_for(folder: str, pk: uuid.UUID, name: str, extension: str) -> str:
    """Like ``swaps/4b13…/source.jpg``."""
    return f"{folder}/{pk}/{name}{extension}"


def thumb_key(key: str) -> str:
    return f"{key}.thumb.webp"


def content_type(key: str) -> str:
    return CONTENT_TYPES[PurePosixPath(key).suffix]
