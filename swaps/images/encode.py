"""Encodes pictures without metadata, except for the mark that they were made by AI."""

import io
import math
from typing import Final

from PIL import Image, PngImagePlugin

from swaps.images import containers, pixels
from swaps.images.decoders import DECODERS, decode
from swaps.images.refusals import refusing
from swaps.images.types import FORMAT_NAMES, Format, ImageRefused
from swaps.sizes import SIDES

# libjpeg stops at 65500, below the 65535 that the format could say.
_MAX_SIDE: Final[dict[Format, float]] = {"jpeg": 65_500, "png": math.inf, "webp": 16_383}


def encode(image: Image.Image, format: Format, *, xmp: bytes | None = None) -> bytes:  # noqa: A002
    """Encode a picture; only its pixels and ``xmp`` get into the file. JPEG puts alpha onto white.

    Raises ``ImageRefused`` for more pixels a side than the format can hold.
    """
    if max(image.size) > _MAX_SIDE[format]:
        raise ImageRefused(
            "too_many_pixels.side",
            width=image.width,
            height=image.height,
            format=FORMAT_NAMES[format],
            limit=_MAX_SIDE[format],
        )
    plain = (
        pixels.without_info(image) if image.mode in {"L", "RGB", "RGBA"} else pixels.to_plain(image)
    )
    out = io.BytesIO()
    match format:
        case "jpeg":
            plain = pixels.composite_on_white(plain) if plain.mode == "RGBA" else plain
            plain.save(out, "JPEG", quality=95, subsampling="4:4:4", xmp=xmp)
        case "png":
            text = PngImagePlugin.PngInfo()
            if xmp:
                text.add_itxt("XML:com.adobe.xmp", xmp)
            plain.save(out, "PNG", compress_level=1, pnginfo=text)
        case "webp":
            plain.save(out, "WEBP", quality=90, method=2, xmp=xmp or b"")
    return out.getvalue()


def small_copies(
    image_or_data: Image.Image | bytes, *, xmp: bytes | None = None
) -> dict[int, bytes]:
    """Return a picture as WebP in all ``SIDES``, by side; none is larger than the picture.

    Each is made of the pixels of the next larger one, which takes a fraction of the time. Bytes
    must be a picture that we stored; copies keep its ``xmp``.
    """
    with refusing():
        image = image_or_data
        if isinstance(image, bytes):
            xmp = containers.read(image).xmp
            image = Image.open(io.BytesIO(image), formats=DECODERS)
            image.draft(None, _fit_within(image.size, 2 * max(SIDES)))
        copies = {}
        for side in sorted(SIDES, reverse=True):
            size = _fit_within(image.size, side)
            image = image.resize(size, Image.Resampling.HAMMING, reducing_gap=1.2)
            out = io.BytesIO()
            pixels.without_info(image).save(out, "WEBP", quality=76, method=0, xmp=xmp or b"")
            copies[side] = out.getvalue()
        return copies


def convert(data: bytes, format: Format, *, xmp: bytes | None = None) -> bytes:  # noqa: A002
    """Convert a picture that we stored to another type; without ``xmp`` it keeps its own packet."""
    with refusing():
        container = containers.read(data)
        xmp = xmp or container.xmp
        if container.format == FORMAT_NAMES[format] and xmp == container.xmp:
            return data
        image = decode(container)
    return encode(image, format, xmp=xmp)


def _fit_within(size: tuple[int, int], side: int) -> tuple[int, int]:
    """Return the size scaled down, keeping its proportions, to at most ``side`` pixels a side."""
    scale = min(1.0, side / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
