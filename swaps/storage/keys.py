"""Object keys: the names of pictures in any store, and the content type that a key stands for."""

import uuid
from pathlib import PurePosixPath

from swaps.sizes import SIDES

CONTENT_TYPES = {".jpg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}


def key_for(folder: str, pk: uuid.UUID, name: str, extension: str) -> str:
    """Return an object key like ``swaps/4b13…/source.jpg``."""
    return f"{folder}/{pk}/{name}{extension}"


def copy_key(key: str, side: int) -> str:
    """Return the object key of a picture's small copy with this longer side, one of ``SIDES``."""
    return f"{key}.thumb.webp" if side == 640 else f"{key}.{side}.webp"  # 640 was there first


def copy_keys(key: str) -> list[str]:
    """Return the object keys of all small copies of a picture."""
    return [copy_key(key, side) for side in SIDES]


def keys_from(key: str, side: int | None) -> list[str]:
    """Return what shows a picture in this size: its copy, the larger ones, and the picture itself.

    Pictures of earlier versions lack some copies. None stands for the full size.
    """
    return [*(copy_key(key, larger) for larger in SIDES if side and larger >= side), key]


def content_type(key: str) -> str:
    """Return the MIME type of a picture by the extension of its key; raises KeyError for others."""
    return CONTENT_TYPES[PurePosixPath(key).suffix]
