"""From whatever a picture is to RGB with 8 bits, and back to the target's own mode."""

import cv2
import numpy as np

from swaps.engine.types import AnyArray, Picture

_TO_8_BITS = 257  # 65535 / 255


def as_rgb(picture: AnyArray) -> Picture:
    """H×W×3 uint8 from grey (H×W), RGB or RGBA of 8 or 16 bits. Raises ValueError otherwise."""
    colours = 0 if picture.ndim == 2 else picture.shape[-1]
    is_known = picture.ndim in {2, 3} and colours in {0, 3, 4} and picture.size > 0
    if not is_known or picture.dtype not in {np.dtype(np.uint8), np.dtype(np.uint16)}:
        raise ValueError(f"not a picture: an array of {picture.dtype}, shape {picture.shape}")
    picture = as_8_bits(picture)
    if colours == 0:
        return np.repeat(picture[..., None], 3, axis=2)
    return np.ascontiguousarray(picture[..., :3])


def as_8_bits(picture: AnyArray) -> Picture:
    if picture.dtype == np.uint8:
        return picture
    return np.asarray((picture.astype(np.uint32) + _TO_8_BITS // 2) // _TO_8_BITS, np.uint8)


def is_grey(picture: Picture, tolerance: int = 0) -> bool:
    """Whether no pixel's channels differ by more (JPEG makes small differences)."""
    every_8th = picture[::8, ::8]  # a picture with colours is nearly always told by these
    return all(
        bool((cv2.absdiff(part[..., 0], part[..., i]) <= tolerance).all())
        for part in (every_8th, picture)
        for i in (1, 2)
    )


def in_mode_of(target: AnyArray, result: Picture) -> Picture:
    """``result`` (H×W×3) as grey or with the target's alpha, if the target is so."""
    if target.ndim == 2:
        return np.ascontiguousarray(result[..., 0])
    if target.shape[2] == 4:
        return np.dstack([result, as_8_bits(target[..., 3])])
    return result
