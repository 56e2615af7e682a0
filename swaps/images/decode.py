"""Opens pictures: bytes become pixels that are upright, in sRGB, and carry nothing else."""

from typing import BinaryIO

from PIL import Image

from swaps.images import containers, cost
from swaps.images.decoders import decode
from swaps.images.examine import examine
from swaps.images.refusals import refusing


def memory_needed(data: bytes, *, max_pixels: int) -> int:
    """Bytes that ``open_photo`` takes at its peak. Raises ImageRefused as far as a header tells."""
    with refusing():
        return cost.memory(examine(data, max_pixels))


def open_photo(data: bytes | BinaryIO, *, max_pixels: int) -> Image.Image:
    """An upright picture in sRGB, mode L, RGB or RGBA, without metadata. Raises ImageRefused."""
    with refusing():
        data = data if isinstance(data, bytes) else data.read()
        return decode(examine(data, max_pixels))


def dimensions(data: bytes) -> tuple[int, int]:
    """Width and height as shown, from the header of a JPEG, PNG or WebP."""
    with refusing():
        container = containers.read(data)
    width, height = container.width, container.height
    return (height, width) if container.orientation >= 5 else (width, height)
