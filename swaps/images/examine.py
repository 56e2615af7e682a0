"""Checks before decoding: type, file size, pixel count and animation."""

from typing import Final

from PIL import Image

from swaps.images import containers, cost, sniff
from swaps.images.decoders import HAS_HEIC, read_heic
from swaps.images.refusals import millions
from swaps.images.types import Container, ImageRefused

# For the form's accept attribute. If image/heic is not in it, iPhones convert HEIC to JPEG.
_HEIC_TYPES = ("image/heic", "image/heif") if HAS_HEIC else ()
ACCEPTED_CONTENT_TYPES: Final = ("image/jpeg", "image/png", "image/webp", *_HEIC_TYPES)
ACCEPTED_TEXT: Final = "JPEG, PNG, WebP and HEIC" if HAS_HEIC else "JPEG, PNG and WebP"
# 1920 × 1080 fits. Opening a WebP takes 16 bytes a pixel (35 MB), rotating a JPEG 8. A child
# process takes 0.07 s to start, more than decoding such a picture in this one.
MAX_PIXELS_IN_PROCESS: Final = 2_100_000
MAX_PIXELS: Final = Image.MAX_IMAGE_PIXELS or 89_000_000  # Pillow's own limit


def examine(data: bytes, max_pixels: int) -> Container:
    """Read a picture's container and check it; raises ``ImageRefused`` or ``Malformed``."""
    _check_type(data)
    is_heic = sniff.identify(data) == "HEIC"
    container = read_heic(data) if is_heic else containers.read(data)
    _check_pixels(container.width, container.height, max_pixels)
    if container.is_animated:
        raise ImageRefused("animated.file")
    if container.width * container.height > MAX_PIXELS_IN_PROCESS and not (
        cost.is_large_enough(container)
    ):
        raise ImageRefused("broken.too_small", width=container.width, height=container.height)
    return container


def check_bytes(size: int, max_bytes: int) -> None:
    """Raise ``ImageRefused`` for a file that is empty or too large."""
    if size > max_bytes:
        raise ImageRefused("too_many_bytes.file", size=millions(size), limit=millions(max_bytes))
    if size <= 0:
        raise ImageRefused("empty.file")


def _check_type(data: bytes) -> None:
    check_bytes(len(data), len(data))
    found = sniff.identify(data)
    if found in {"JPEG", "PNG", "WebP"} or (found == "HEIC" and HAS_HEIC):
        return
    if found == "HEIC":
        raise ImageRefused("unsupported_type.heic")
    if found in {"SVG", "AVIF"} or found in sniff.PICTURE_TYPES:
        raise ImageRefused("unsupported_type.known", found=found, accepted=ACCEPTED_TEXT)
    if found:
        raise ImageRefused("not_an_image.known", found=found, accepted=ACCEPTED_TEXT)
    raise ImageRefused("not_an_image.unknown", accepted=ACCEPTED_TEXT)


def _check_pixels(width: int, height: int, max_pixels: int) -> None:
    limit = min(max_pixels, MAX_PIXELS)
    if width * height > limit:
        raise ImageRefused(
            "too_many_pixels.area",
            width=width,
            height=height,
            size=millions(width * height),
            limit=millions(limit, round_up=False),
        )
