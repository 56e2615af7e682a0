"""Encodes the result of every provider, marked as made by AI."""

from PIL import Image

from swaps import images, storage
from swaps.provenance import xmp
from swaps.providers.base import Finished


def encode_result(
    result: Image.Image,
    *,
    target_key: str,
    warnings: tuple[str, ...] = (),
    score: float | None = None,
) -> Finished:
    """Encode as PNG where the target is one or the result is transparent, otherwise as JPEG.

    Raises ``images.ImageRefused`` for a picture that the format cannot hold.
    """
    is_png = result.mode == "RGBA" or storage.content_type(target_key) == "image/png"
    return Finished(
        data=images.encode(result, "png" if is_png else "jpeg", xmp=xmp.ai_xmp()),
        copies=images.small_copies(result, xmp=xmp.ai_xmp()),
        extension=".png" if is_png else ".jpg",
        width=result.width,
        height=result.height,
        warnings=warnings,
        score=score,
    )
