"""What is known of a picture file before it is decoded. Standard library only."""

from dataclasses import dataclass
from typing import Literal

MAX_PARTS = 20_000  # segments of a JPEG, chunks of a PNG or WebP
MAX_PROFILE_BYTES = 4_000_000  # the largest printing profiles stay below 3 MB

Name = Literal["JPEG", "PNG", "WebP", "HEIC"]


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
