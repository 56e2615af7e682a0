"""Untrusted bytes become a photo that we encoded ourselves, in this process."""

from swaps.images.decoders import decode
from swaps.images.encode import encode, thumbnail
from swaps.images.examine import examine
from swaps.images.refusals import millions, refusing
from swaps.images.types import EXTENSIONS, Format, ImageRefused, Photo


def reencode(data: bytes, *, max_pixels: int) -> Photo:
    """What ``accept`` does, in this process however large the picture is."""
    with refusing():
        container = examine(data, max_pixels)
        image = decode(container)
    kind: Format = "png" if image.mode == "RGBA" or container.format == "PNG" else "jpeg"
    content_type = f"image/{kind}"
    return Photo(
        data=encode(image, kind),
        content_type=content_type,
        extension=EXTENSIONS[content_type],
        width=image.width,
        height=image.height,
        thumbnail=thumbnail(image),
    )


def check_stored(size: int, most: int) -> None:
    """What is encoded anew may be larger than what came; within reason."""
    if size > most:
        raise ImageRefused(
            "too_many_bytes",
            f"It would take {millions(size)} MB to keep it; {millions(most)} MB is the most. "
            "Save it as JPEG, or make it smaller, and try again.",
        )
