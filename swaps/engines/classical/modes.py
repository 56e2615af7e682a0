"""Converts pictures of any mode to 8-bit RGB, and the result to the target's mode."""

import cv2
import numpy as np
from PIL import Image

from swaps.engines.classical.types import AnyArray, Picture, Pixels

_TO_8_BITS = 257  # 65535 / 255
_VISIBLE = 64  # of 255
_STRIP = 64  # rows copied from a Pillow picture at a time, to fit the processor's cache


def as_array(pixels: Pixels) -> AnyArray:
    """Return an array as it is, or a Pillow picture's pixels in a third of np.asarray's time."""
    if not isinstance(pixels, Image.Image):
        return np.asarray(pixels)
    width, height = pixels.size
    first = np.asarray(pixels.crop((0, 0, width, min(height, _STRIP))))
    array = np.empty((height, *first.shape[1:]), first.dtype)
    for top in range(0, height, _STRIP):
        bottom = min(height, top + _STRIP)
        array[top:bottom] = np.asarray(pixels.crop((0, top, width, bottom)))
    return array


def as_rgb(picture: AnyArray) -> Picture:
    """Return H×W×3 uint8 from grey (H×W), RGB or RGBA of 8 or 16 bits.

    Raises ValueError otherwise.
    """
    colours = 0 if picture.ndim == 2 else picture.shape[-1]
    is_known = picture.ndim in {2, 3} and colours in {0, 3, 4} and picture.size > 0
    if not is_known or picture.dtype not in {np.dtype(np.uint8), np.dtype(np.uint16)}:
        raise ValueError(f"not a picture: an array of {picture.dtype}, shape {picture.shape}")
    picture = as_8_bits(picture)
    if colours == 0:
        return np.repeat(picture[..., None], 3, axis=2)
    return np.ascontiguousarray(picture[..., :3])


def hidden_pixels(picture: AnyArray) -> AnyArray | None:
    """Return H×W, True where alpha is below a quarter, so that nobody sees the colours; or None."""
    if picture.ndim == 2 or picture.shape[2] != 4:
        return None
    is_hidden = as_8_bits(picture[..., 3]) < _VISIBLE
    return is_hidden if is_hidden.any() else None


def fill_hidden(picture: Picture, is_hidden: AnyArray | None) -> Picture:
    """Return the picture (H×W×3) with grey in place of hidden pixels."""
    if is_hidden is None:
        return picture
    return np.where(is_hidden[..., None], np.uint8(128), picture)


def as_8_bits(picture: AnyArray) -> Picture:
    """Return uint8 values, from uint8 or uint16."""
    if picture.dtype == np.uint8:
        return picture
    return np.asarray((picture.astype(np.uint32) + _TO_8_BITS // 2) // _TO_8_BITS, np.uint8)


def is_grey(picture: Picture, tolerance: int = 0) -> bool:
    """Return whether the channels differ by at most ``tolerance``, as JPEG makes them differ."""
    every_8th = picture[::8, ::8]  # nearly always enough to find a colour
    return all(
        bool((cv2.absdiff(part[..., 0], part[..., i]) <= tolerance).all())
        for part in (every_8th, picture)
        for i in (1, 2)
    )


def convert_to_mode_of(target: AnyArray, result: Picture) -> Picture:
    """Return ``result`` (H×W×3) in the target's mode.

    Grey, RGB, or RGBA with the target's alpha.
    """
    if target.ndim == 2:
        return np.ascontiguousarray(result[..., 0])
    if target.shape[2] == 4:
        return np.dstack([result, as_8_bits(target[..., 3])])
    return result
