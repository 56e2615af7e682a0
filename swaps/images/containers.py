"""What lies around the pixels of JPEG, PNG and WebP, read without decoding. Standard library only.

A photo arrives with segments that no decoder needs: EXIF, thumbnails, comments, text that unpacks
to gigabytes, further pictures. What we want of them (size, orientation, colour profile, XMP) is
read here; the decoder is handed the rest, so its parsers of all that never see a stranger's bytes.
JPEG: ITU-T T.81 annex B. PNG: W3C, third edition. WebP: RFC 9649.
"""

import struct

from swaps.images import jpeg, png, webp
from swaps.images.sniff import identify
from swaps.images.types import Container, Malformed


def read(data: bytes) -> Container:
    """Raises Malformed for what is not a whole JPEG, PNG or WebP."""
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
