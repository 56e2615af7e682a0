"""The two pictures of an API call: how their URLs are named, and what is said of a bad one."""

import io
from typing import Literal

from django.conf import settings

from swaps import errors, images, net
from swaps.images import budget

InputName = Literal["source", "target"]
INPUTS: tuple[InputName, InputName] = ("source", "target")


def accept(data: bytes, name: InputName, user_id: int) -> images.Photo:
    try:
        return images.accept(
            io.BytesIO(data),
            size=len(data),
            max_bytes=settings.FACESWAP_MAX_UPLOAD_BYTES,
            max_pixels=settings.FACESWAP_MAX_PIXELS,
            reserve=budget.for_account(user_id, held=len(data)),
        )
    except images.ImageRefused as error:
        raise unusable(name, error) from error


def unusable(name: InputName, error: images.ImageRefused) -> errors.InvalidImage:
    return errors.InvalidImage("fetched", image=name, name=name, reason=error.explanation)


def not_fetched(name: InputName, error: net.NetError) -> errors.BadRequest:
    return errors.BadRequest("not_fetched", image=name, name=name, reason=error.explanation)
