"""Re-encodes untrusted pictures in this process."""

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
    kind: Format = "png" if image.mode == "RGBA" or container.format == "PNG" else "jpeg"
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
