"""Estimates from a picture's header how much memory decoding takes, and how small its file can be.

The figures are measured and explained in docs/images.md. Standard library only.
"""

from typing import Final

from swaps.images.types import Container, FormatName

# Peak memory for each pixel, with rotation, colour conversion and small copies. The file itself is
# held twice.
BYTES_PER_PIXEL: Final[dict[FormatName, int]] = {"JPEG": 8, "PNG": 12, "WebP": 16, "HEIC": 16}
BYTES_PER_PIXEL_PROGRESSIVE: Final = 12  # a JPEG in several scans: all coefficients are kept
BYTES_PER_PIXEL_TWICE: Final = 4  # a JPEG without a certain end is decoded again and compared
COPIES_OF_FILE: Final = 2

# No file of less than a byte for so many pixels can hold a picture of that size. A JPEG with
# Huffman codes takes at least a bit for each block of 8 × 8, and deflate shrinks at most to 1/1032.
JPEG_PIXELS_PER_BYTE: Final = 512
PNG_MAX_RATIO: Final = 1040
# The other codings have no such bound: 38 bytes are a WebP of 268 megapixels in one colour. But a
# face that can be found takes more than 3 KB, however large the empty picture around it.
PIXELS_PER_BYTE: Final = 4000

_BASELINE, _HUFFMAN = {0xC0, 0xC1}, {0xC0, 0xC1, 0xC2}
_SOF = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # of a pixel, by the colour type of a PNG


def memory(container: Container) -> int:
    """Return the peak memory of decoding a picture, in bytes."""
    pixels = container.width * container.height
    per_pixel = BYTES_PER_PIXEL[container.format]
    if container.format == "JPEG" and _frame_marker(container) not in _BASELINE:
        per_pixel = BYTES_PER_PIXEL_PROGRESSIVE
    if not container.has_end:
        per_pixel += BYTES_PER_PIXEL_TWICE
    return per_pixel * pixels + COPIES_OF_FILE * _size(container)


def max_memory(max_pixels: int, max_bytes: int) -> int:
    """Return the peak memory of decoding the worst picture within these limits, in bytes."""
    return max(BYTES_PER_PIXEL.values()) * max_pixels + COPIES_OF_FILE * max_bytes


def memory_of_stored(pixels: int, size: int) -> int:
    """Return the peak memory of converting a stored picture to another type, in bytes."""
    return BYTES_PER_PIXEL["PNG"] * pixels + COPIES_OF_FILE * size


def is_large_enough(container: Container) -> bool:
    """Return False for a file that is too small for the pixels that its header claims."""
    return _size(container) >= _min_size(container)


def _min_size(container: Container) -> int:
    """Return the smallest possible file size, in bytes, for the pixels that the header claims."""
    pixels = container.width * container.height
    if container.format == "JPEG" and _frame_marker(container) in _HUFFMAN:
        return pixels // JPEG_PIXELS_PER_BYTE
    if container.format == "PNG":
        return container.height * _bytes_per_row(container) // PNG_MAX_RATIO
    return pixels // PIXELS_PER_BYTE


def _size(container: Container) -> int:
    return sum(map(len, container.parts))


def _frame_marker(container: Container) -> int:
    markers = (part[1] for part in container.parts if len(part) > 1)
    return next((marker for marker in markers if marker in _SOF), 0)


def _bytes_per_row(container: Container) -> int:
    header = b"".join(bytes(part[:40]) for part in container.parts[:2])[16:]  # of IHDR
    bits = header[8] * _SAMPLES.get(header[9], 1)
    return -(-container.width * bits // 8)
