"""The types that stand for a picture: before it is decoded, refused, and ready to be stored.

Standard library only.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

MAX_PARTS = 20_000  # segments of a JPEG, chunks of a PNG or WebP
MAX_PROFILE_BYTES = 4_000_000  # the largest printing profiles stay below 3 MB

Name = Literal["JPEG", "PNG", "WebP", "HEIC"]
Format = Literal["jpeg", "png", "webp"]
Reserve = Callable[[int], contextlib.AbstractContextManager[object]]  # so many bytes of memory
Code = Literal[
    "empty",
    "not_an_image",
    "unsupported_type",
    "broken",
    "too_many_bytes",
    "too_many_pixels",
    "animated",
    "too_slow",
]

NAMES: Final[dict[Format, Name]] = {"jpeg": "JPEG", "png": "PNG", "webp": "WebP"}
EXTENSIONS: Final = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp"}


class Malformed(Exception):
    """The file breaks the rules of its format, or ends too early."""


@dataclass(frozen=True, kw_only=True)
class Container:
    """One file. Width and height are as stored, before ``orientation`` (EXIF, 1…8) is applied."""

    format: Name
    width: int
    height: int
    parts: tuple[bytes | memoryview, ...]  # the same picture with only what a decoder needs
    orientation: int = 1
    profiles: tuple[bytes, ...] = ()  # ICC; the first that can be read holds
    is_grey: bool = False  # a PNG's colour type: Pillow makes RGBA of grey with alpha of 16 bits
    transparent: tuple[int, ...] = ()  # a PNG's transparent colour, in samples as they are stored
    bits: int = 8  # of such a sample
    has_end: bool = True  # a JPEG may lack its end marker, or not surely end there, and be whole
    xmp: bytes | None = None
    is_animated: bool = False

    @property
    def pixels(self) -> bytes:
        """The parts in one piece: a copy, unless there is one only."""
        first, *others = self.parts
        return b"".join(self.parts) if others or not isinstance(first, bytes) else first


class ImageRefused(Exception):
    """``message`` is for people: what is wrong and what to do."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, kw_only=True)
class Photo:
    """A picture encoded by us, without metadata, ready to be stored."""

    data: bytes
    content_type: str
    extension: str  # with its dot
    width: int
    height: int
    thumbnail: bytes  # WebP, to be stored beside it
