"""Reads the structure around the pixels of JPEG, PNG and WebP, without decoding them.

Photos hold segments that no decoder needs: EXIF, thumbnails, comments, text that unpacks to
gigabytes, further pictures. Size, orientation, colour profile and XMP are read here; the decoder
gets only what it needs, so that its parsers of metadata never see untrusted bytes. Standard library
only.

JPEG: ITU-T T.81 annex B. PNG: W3C, third edition. WebP: RFC 9649.
"""

import struct

from swaps.images import jpeg, png, webp
from swaps.images.sniff import identify
from swaps.images.types import Container, Malformed


def read(data: bytes) -> Container:
    """Read a JPEG, PNG or WebP; raises ``Malformed`` for anything else, and for broken files."""
    reader = {"JPEG": jpeg.read, "PNG": png.read, "WebP": webp.read}.get(identify(data))
    if reader is None:
        raise Malformed
    try:
        container = reader(data)
    except (struct.error, IndexError, ValueError) as error:
        raise Malformed from error
    if not (container.width and container.height):
        raise Malformed
    return container
