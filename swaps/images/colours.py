"""Converts colours to sRGB by ICC profiles. Pillow (LittleCMS) only."""

import io
import struct
from collections.abc import Iterable
from itertools import product

from PIL import Image, ImageChops, ImageCms

from swaps.images.types import MAX_PROFILE_BYTES

_SPACES = {"L": "GRAY", "I;16": "GRAY", "RGB": "RGB", "RGBA": "RGB", "CMYK": "CMYK"}
_MAX_ROUNDING = 2  # of 255: other sRGB profiles differ by this from Pillow's
# Pillow would clip: everything above 255 would turn white.
_16_TO_8_BITS = bytes((value + 128) // 257 for value in range(65_536))


def to_srgb(image: Image.Image, profiles: Iterable[bytes]) -> Image.Image:
    """Convert L, I;16, RGB, RGBA or CMYK to L, RGB or RGBA in sRGB, by the first fitting profile.

    RGB and RGBA are converted in place. A broken profile, or one for another colour space, is
    ignored: it is no reason to refuse a picture.
    """
    transform = next(filter(None, (_transform(image.mode, icc) for icc in profiles)), None)
    match image.mode:
        case "L":
            return image.point(_grey_table(transform, "L", 256)) if transform else image
        case "I;16":
            table = _grey_table(transform, "I;16", 65_536) if transform else _16_TO_8_BITS
            return image.convert("I").point(table, "L")
        case "CMYK":
            return transform.apply(image) if transform else image.convert("RGB")
    if transform and not _is_identity(transform, image.mode):
        ImageCms.applyTransform(image, transform, inPlace=True)
    return image


def _grey_table(transform: ImageCms.ImageCmsTransform, mode: str, count: int) -> bytes:
    """Return the lookup table of a transform for every value of a grey pixel."""
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


def _is_identity(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    """Return whether the profile is sRGB by another name: the pixels need no conversion."""
    colours = bytes(value for colour in product(range(0, 256, 17), repeat=3) for value in colour)
    before = Image.frombytes("RGB", (256, 16), colours)
    after = transform.apply(before.convert(mode)).convert("RGB")
    return max(ImageChops.difference(before, after).tobytes()) <= _MAX_ROUNDING
