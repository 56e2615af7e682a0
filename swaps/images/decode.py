"""Opens pictures as upright pixels in sRGB without metadata."""

from typing import BinaryIO

from PIL import Image

from swaps.images import containers, cost
from swaps.images.decoders import decode
from swaps.images.examine import examine
from swaps.images.refusals import refusing


def memory_needed(data: bytes, *, max_pixels: int) -> int:
    """Return the peak memory of ``open_photo`` in bytes.

    It is estimated from the header; raises ``ImageRefused``.
    """
    with refusing():
        return cost.memory(examine(data, max_pixels))


def open_photo(data: bytes | BinaryIO, *, max_pixels: int) -> Image.Image:
    """Return an upright picture in sRGB, mode L, RGB or RGBA, without metadata.

    Raises ``ImageRefused``.
    """
    with refusing():
        data = data if isinstance(data, bytes) else data.read()
        return decode(examine(data, max_pixels))


def dimensions(data: bytes) -> tuple[int, int]:
    """Return width and height of a JPEG, PNG or WebP as shown, from its header."""
    with refusing():
        container = containers.read(data)
    width, height = container.width, container.height
    return (height, width) if container.orientation >= 5 else (width, height)
