"""Colours to sRGB, by ICC profiles. Pillow (LittleCMS) only."""

import io
import struct
from collections.abc import Iterable
from itertools import product

from PIL import Image, ImageChops, ImageCms

from swaps.images.types import MAX_PROFILE_BYTES

_SPACES = {"L": "GRAY", "I;16": "GRAY", "RGB": "RGB", "RGBA": "RGB", "CMYK": "CMYK"}
_MAX_ROUNDING = 2  # of 255: profiles of sRGB differ by that from Pillow's own
# Clipping, Pillow's own way, would turn everything above 255 white.
_16_TO_8_BITS = bytes((value + 128) // 257 for value in range(65_536))


def to_srgb(image: Image.Image, profiles: Iterable[bytes]) -> Image.Image:
    """From mode L, I;16, RGB, RGBA or CMYK to L, RGB or RGBA, by the first profile that fits.

    Red, green and blue change in place. A broken profile, or one for other colours, is no reason
    to refuse a good picture.
    """
    transform = next(filter(None, (_transform(image.mode, icc) for icc in profiles)), None)
    match image.mode:
        case "L":
            return image.point(_greys(transform, "L", 256)) if transform else image
        case "I;16":
            table = _greys(transform, "I;16", 65_536) if transform else _16_TO_8_BITS
            return image.convert("I").point(table, "L")
        case "CMYK":
            return transform.apply(image) if transform else image.convert("RGB")
    if transform and not _changes_nothing(transform, image.mode):
        ImageCms.applyTransform(image, transform, inPlace=True)
    return image


def _greys(transform: ImageCms.ImageCmsTransform, mode: str, count: int) -> bytes:
    """What becomes of each value that a grey pixel may have."""
    code = {"L": "B", "I;16": "H"}[mode]
    values = struct.pack(f"<{count}{code}", *range(count))
    ramp = Image.frombytes(mode, (256, count // 256), values)
    return transform.apply(ramp).getchannel("G").tobytes()


def _transform(mode: str, icc: bytes) -> ImageCms.ImageCmsTransform | None:
    if len(icc) > MAX_PROFILE_BYTES:
        return None
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        if profile.profile.xcolor_space.strip() != _SPACES[mode]:
            return None
        to_mode = mode if mode == "RGBA" else "RGB"
        return ImageCms.buildTransform(profile, ImageCms.createProfile("sRGB"), mode, to_mode)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def _changes_nothing(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    """Whether it is sRGB already, whatever its name: then the pixels stay as they are."""
    colours = bytes(value for colour in product(range(0, 256, 17), repeat=3) for value in colour)
    before = Image.frombytes("RGB", (256, 16), colours)
    after = transform.apply(before.convert(mode)).convert("RGB")
    return max(ImageChops.difference(before, after).tobytes()) <= _MAX_ROUNDING
