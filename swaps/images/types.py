"""The types of a picture before decoding, when refused, and when ready to store.

Standard library only.
"""

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from swaps.messages import ExplainedError
from swaps.sizes import SIDES

MAX_PARTS = 20_000  # segments of a JPEG, chunks of a PNG or WebP
MAX_PROFILE_BYTES = 4_000_000  # the largest profiles of printers stay below 3 MB

FormatName = Literal["JPEG", "PNG", "WebP", "HEIC"]
Format = Literal["jpeg", "png", "webp"]
Reserve = Callable[[int], contextlib.AbstractContextManager[object]]  # called with bytes of memory

FORMAT_NAMES: Final[dict[Format, FormatName]] = {"jpeg": "JPEG", "png": "PNG", "webp": "WebP"}
EXTENSIONS: Final = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp"}


class Malformed(Exception):
    """The file violates its format, or is truncated."""


@dataclass(frozen=True, kw_only=True)
class Container:
    """A picture file, read but not decoded.

    Width and height are those of the stored pixels, before ``orientation`` (EXIF, 1…8) is applied.
    """

    format: FormatName
    width: int
    height: int
    parts: tuple[bytes | memoryview, ...]  # the same picture with only what a decoder needs
    orientation: int = 1
    profiles: tuple[bytes, ...] = ()  # ICC; the first valid one counts
    is_grey: bool = False  # from the PNG colour type: Pillow opens 16-bit grey with alpha as RGBA
    transparent: tuple[int, ...] = ()  # a PNG's transparent colour, in samples as they are stored
    bits: int = 8  # per sample of ``transparent``
    has_end: bool = True  # False: the end marker of a JPEG is missing or uncertain
    xmp: bytes | None = None
    is_animated: bool = False

    @property
    def pixels(self) -> bytes:
        """The parts as one byte string: a copy, unless there is only one."""
        first, *others = self.parts
        return b"".join(self.parts) if others or not isinstance(first, bytes) else first


class ImageRefused(ExplainedError):
    """A picture is not accepted: a code of ``messages.TEXTS`` and its parameters say why."""

    @property
    def code(self) -> str:
        """The kind of refusal that it is, like ``broken`` or ``too_many_pixels``."""
        return str(self.explanation["code"]).partition(".")[0]


@dataclass(frozen=True, kw_only=True)
class Photo:
    """A picture that we encoded, without metadata, ready to be stored."""

    data: bytes
    content_type: str
    extension: str  # with its dot
    width: int
    height: int
    copies: Mapping[int, bytes]  # small WebP by longer side, to be stored beside it

    @property
    def has_all_copies(self) -> bool:
        """Whether it has all small copies; a stored photo of an earlier version lacks some."""
        return set(self.copies) == set(SIDES)
