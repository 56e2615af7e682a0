"""Reads the chunks of a WebP without decoding it (RFC 9649). Standard library only."""

import struct

from swaps.images.exif import EXIF_PREFIX, orientation
from swaps.images.profiles import profile_candidates
from swaps.images.types import MAX_PARTS, Container, Malformed


def read(data: bytes) -> Container:
    """Return the container of a WebP.

    Raises ``Malformed``, struct.error or IndexError for a broken file.
    """
    size = None
    frames = 0
    extra: dict[bytes, bytes] = {}
    end = 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        raise Malformed
    at = 12
    for _ in range(MAX_PARTS):
        if at + 8 > end:
            break
        name, length = struct.unpack_from("<4sI", data, at)
        if at + 8 + length > end:
            raise Malformed
        size = size or _size(name, data[at + 8 : at + 18])
        frames += name == b"ANMF"
        if name in (b"ICCP", b"EXIF", b"XMP ") and name not in extra:
            extra[name] = data[at + 8 : at + 8 + length]
        at += 8 + length + length % 2
    if size is None:
        raise Malformed
    exif = extra.get(b"EXIF", b"").removeprefix(EXIF_PREFIX)
    return Container(
        format="WebP",
        width=size[0],
        height=size[1],
        parts=(data if end == len(data) else memoryview(data)[:end],),
        orientation=orientation(exif),
        profiles=profile_candidates(extra.get(b"ICCP"), exif),
        xmp=extra.get(b"XMP "),
        is_animated=frames > 1,
    )


def _size(name: bytes, head: bytes) -> tuple[int, int] | None:
    """Return width and height of the canvas or frame; None for other chunks."""
    if name == b"VP8X":
        return 1 + int.from_bytes(head[4:7], "little"), 1 + int.from_bytes(head[7:10], "little")
    if name == b"VP8 ":
        width, height = struct.unpack_from("<HH", head, 6)
        return width & 0x3FFF, height & 0x3FFF
    if name == b"VP8L":
        bits = int.from_bytes(head[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return None
