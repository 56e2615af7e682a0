"""Re-encodes untrusted pictures in this process, and cuts parts out of them."""

import math

from PIL import Image

from swaps.images import containers
from swaps.images.decoders import decode
from swaps.images.encode import encode, small_copies
from swaps.images.examine import examine
from swaps.images.refusals import millions, refusing
from swaps.images.types import EXTENSIONS, Format, ImageRefused, Photo


def reencode(data: bytes, *, max_pixels: int) -> Photo:
    """Decode and re-encode a picture in this process, however large; raises ``ImageRefused``."""
    with refusing():
        container = examine(data, max_pixels)
        image = decode(container)
    return as_photo(image, "png" if container.format == "PNG" else "jpeg")


def crop(photo: Photo, box: tuple[float, float, float, float]) -> Photo:
    """Return a part of a stored photo: left, top, right and bottom as shares of its sides, 0…1."""
    with refusing():
        image = decode(containers.read(photo.data))
    left, top, right, bottom = box
    pixels = (
        math.floor(left * image.width),
        math.floor(top * image.height),
        math.ceil(right * image.width),
        math.ceil(bottom * image.height),
    )
    return as_photo(image.crop(pixels), "png" if photo.extension == ".png" else "jpeg")


def as_photo(image: Image.Image, kind: Format) -> Photo:
    """Return a picture ready to store; with alpha it is a PNG in any case."""
    kind = "png" if image.mode == "RGBA" else kind
    content_type = f"image/{kind}"
    return Photo(
        data=encode(image, kind),
        content_type=content_type,
        extension=EXTENSIONS[content_type],
        width=image.width,
        height=image.height,
        copies=small_copies(image),
    )


def check_stored(size: int, max_bytes: int) -> None:
    """Raise ``ImageRefused`` when the re-encoded picture is too large to keep."""
    if size > max_bytes:
        raise ImageRefused("too_many_bytes.stored", size=millions(size), limit=millions(max_bytes))
