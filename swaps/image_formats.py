"""What lies around the pixels of JPEG, PNG and WebP, read without decoding. Standard library only.

A photo arrives with segments that no decoder needs: EXIF, thumbnails, comments, text that unpacks
to gigabytes, further pictures. What we want of them (size, orientation, colour profile, XMP) is
read here; the decoder is handed the rest, so its parsers of all that never see a stranger's bytes.
JPEG: ITU-T T.81 annex B. PNG: W3C, third edition. WebP: RFC 9649.
"""

import struct

from swaps import image_exif, image_jpeg, image_png
from swaps.image_container import MAX_PARTS, Container, Malformed
from swaps.image_exif import EXIF_PREFIX
from swaps.image_profiles import or_adobe_rgb
from swaps.image_types import identify


def read(data: bytes) -> Container:
    """Raises Malformed for what is not a whole JPEG, PNG or WebP."""
    reader = {"JPEG": image_jpeg.read, "PNG": image_png.read, "WebP": _read_webp}.get(
        identify(data)
    )
    if reader is None:
        raise Malformed
    try:
        container = reader(data)
    except (struct.error, IndexError, ValueError) as error:
        raise Malformed from error
    if not (container.width and container.height):
        raise Malformed
    return container


# --- WebP -----------------------------------------------------------------------------------------


def _read_webp(data: bytes) -> Container:
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
        size = size or _webp_size(name, data[at + 8 : at + 18])
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
        orientation=image_exif.orientation(exif),
        profiles=or_adobe_rgb(extra.get(b"ICCP"), exif),
        xmp=extra.get(b"XMP "),
        is_animated=frames > 1,
    )


def _webp_size(name: bytes, head: bytes) -> tuple[int, int] | None:
    if name == b"VP8X":
        return 1 + int.from_bytes(head[4:7], "little"), 1 + int.from_bytes(head[7:10], "little")
    if name == b"VP8 ":
        width, height = struct.unpack_from("<HH", head, 6)
        return width & 0x3FFF, height & 0x3FFF
    if name == b"VP8L":
        bits = int.from_bytes(head[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return None
