"""Decodes a picture whose container was examined. Pillow, and pillow-heif if it is installed."""

import io
from collections.abc import Sequence
from functools import reduce
from importlib.util import find_spec

from PIL import Image, ImageChops

from swaps.images import damage, pixels, profiles
from swaps.images.exif import EXIF_PREFIX
from swaps.images.types import Container, Malformed

HAS_HEIC = find_spec("pillow_heif") is not None  # optional: its wheels are GPL
DECODERS = ("JPEG", "PNG", "WEBP", *(("HEIF",) if HAS_HEIC else ()))


def read_heic(data: bytes) -> Container:
    """Return the container of a HEIC picture, whose header pillow-heif reads."""
    import pillow_heif

    pillow_heif.register_heif_opener()  # idempotent
    with Image.open(io.BytesIO(data), formats=("HEIF",)) as image:
        nclx = image.info.get("nclx_profile", {})
        by_nclx = profiles.from_code_points(
            nclx.get("color_primaries", 2), nclx.get("transfer_characteristics", 2)
        )
        exif = image.info.get("exif", b"").removeprefix(EXIF_PREFIX)
        icc = image.info.get("icc_profile") or by_nclx
        return Container(
            format="HEIC",
            width=image.width,  # upright already: the format has a rotation of its own
            height=image.height,
            parts=(data,),
            profiles=profiles.profile_candidates(icc, exif),
        )


def decode(container: Container) -> Image.Image:
    """Return an upright picture in sRGB, mode L, RGB or RGBA, without metadata.

    Raises Malformed.
    """
    data = container.pixels
    image = _open(container, data)
    image.load()
    damage.check_complete(container, data, image)
    alpha = _alpha_of_transparent_colour(image, container, data) if container.transparent else None
    if container.is_grey and image.mode == "RGBA":
        image = Image.merge("LA", (image.getchannel("R"), image.getchannel("A")))
    plain = pixels.to_plain(image, container.profiles, alpha)
    del image, data  # Pillow's WebP decoder holds two more canvases
    return pixels.apply_orientation(plain, container.orientation)


def _open(container: Container, data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data), formats=DECODERS)
    if image.size != (container.width, container.height):
        raise Malformed  # the pixel limit was checked for the container's size
    return image


def _alpha_of_transparent_colour(
    image: Image.Image, container: Container, data: bytes
) -> Image.Image:
    """Return the alpha of a PNG with a transparent colour.

    0 where a pixel equals it, 255 elsewhere.

    Pillow compares the colour with pixels that it has reduced to 8 bits.
    """
    colour, bits = container.transparent, container.bits
    if len(colour) == 1:  # grey
        return _differs(image, [colour[0] if bits >= 8 else colour[0] * 255 // (2**bits - 1)])
    if bits == 8:
        return _differs(image, colour)
    low = _open(container, data)
    low.tile = [tile._replace(args="RGB;16L") for tile in low.tile]  # type: ignore[attr-defined]
    return ImageChops.lighter(
        _differs(image, [sample >> 8 for sample in colour]),
        _differs(low, [sample & 0xFF for sample in colour]),
    )


def _differs(image: Image.Image, colour: Sequence[int]) -> Image.Image:
    """Return 255 where the picture differs from this colour, and 0 where it is equal."""
    if image.mode.startswith("I"):
        table = [255] * 65_536
        table[colour[0]] = 0
        return image.convert("I").point(table, "L")
    grey = image.convert("L") if image.mode == "1" else image
    channels = (grey.getchannel(number) for number in range(len(colour)))  # one after another
    return reduce(
        ImageChops.lighter,
        (
            channel.point([0 if value == sample else 255 for value in range(256)])
            for channel, sample in zip(channels, colour, strict=True)
        ),
    )
