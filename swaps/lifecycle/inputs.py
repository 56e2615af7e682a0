"""The two input pictures of an API call: their names, their checks, and the errors of bad ones."""

import io
from typing import Literal

from django.conf import settings

from swaps import errors, images, net
from swaps.images import budget

InputName = Literal["source", "target"]
INPUTS: tuple[InputName, InputName] = ("source", "target")


def accept(data: bytes, name: InputName, user_id: int) -> images.Photo:
    """Check and re-encode a picture that was sent or fetched. Raises ``errors.InvalidImage``."""
    try:
        return images.accept(
            io.BytesIO(data),
            size=len(data),
            max_bytes=settings.FACESWAP_MAX_UPLOAD_BYTES,
            max_pixels=settings.FACESWAP_MAX_PIXELS,
            reserve=budget.for_account(user_id, held=len(data)),
        )
    except images.ImageRefused as error:
        raise invalid_image(name, error) from error


def invalid_image(name: InputName, error: images.ImageRefused) -> errors.InvalidImage:
    """Return the API error for a picture that was refused."""
    return errors.InvalidImage("fetched", image=name, name=name, reason=error.explanation)


def fetch_error(name: InputName, error: net.NetError) -> errors.BadRequest:
    """Return the API error for a URL that cannot be fetched."""
    return errors.BadRequest("not_fetched", image=name, name=name, reason=error.explanation)
