"""Checks before decoding: type, file size, pixel count and animation."""

from typing import Final, NoReturn

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
        raise ImageRefused("animated", "It is an animation. Choose a still picture.")
    if container.width * container.height > MAX_PIXELS_IN_PROCESS and not (
        cost.is_large_enough(container)
    ):
        raise ImageRefused(
            "broken",
            f"It says that it is {container.width:,} × {container.height:,} pixels, and is too "
            "small a file to hold such a photo. Choose another one.",
        )
    return container


def check_bytes(size: int, max_bytes: int) -> None:
    """Raise ``ImageRefused`` for a file that is empty or too large."""
    if size > max_bytes:
        raise ImageRefused(
            "too_many_bytes",
            f"It is {millions(size)} MB; {millions(max_bytes)} MB is the most. "
            "Save it smaller and try again.",
        )
    if size <= 0:
        raise ImageRefused("empty", "The file is empty. Choose another one.")


def _check_type(data: bytes) -> None:
    check_bytes(len(data), len(data))
    found = sniff.identify(data)
    if found in {"JPEG", "PNG", "WebP"} or (found == "HEIC" and HAS_HEIC):
        return
    if found == "HEIC":
        _refuse_type("It is a HEIC picture, which cannot be read here. Save it as JPEG")
    if found in {"SVG", "AVIF"} or found in sniff.PICTURE_TYPES:
        _refuse_type(f"It is of the type {found}. Save it as one of {ACCEPTED_TEXT}")
    what = f"It is a {found}, not a picture." if found else "It is not a picture."
    raise ImageRefused("not_an_image", f"{what} {ACCEPTED_TEXT} are accepted.")


def _refuse_type(what: str) -> NoReturn:
    raise ImageRefused("unsupported_type", f"{what} and try again.")


def _check_pixels(width: int, height: int, max_pixels: int) -> None:
    limit = min(max_pixels, MAX_PIXELS)
    if width * height > limit:
        raise ImageRefused(
            "too_many_pixels",
            f"It is {width:,} × {height:,} = {millions(width * height)} megapixels; "
            f"{millions(limit, round_up=False)} is the most. Make it smaller and try again.",
        )
