"""Measures how sharp a face is."""

import cv2
import numpy as np

from swaps.engines.classical.filters import luma, padded_crop
from swaps.engines.classical.pyramid import Pyramid
from swaps.engines.classical.types import Floats, Landmarks

_SIDE = 192  # pixels: larger faces are reduced to this, since few people look at them any larger
_EVEN = 0.01  # levels of 255: steps in an even area come from rounding
_REACH = 9  # pixels of the blur that is compared with, as in the paper


def sharpness(picture: Pyramid, landmarks: Landmarks) -> float:
    """Return the sharpness of a face, 0…1, at its own size or 192 px, whichever is smaller.

    It is 1 minus the blur metric of Crete et al. 2007, "The blur effect": a further blur takes away
    little of the steps between neighbouring pixels where they are soft already. Eyes, brows and
    lips count most. A sharp photo has about .6, one that is plainly out of focus .3 or less.
    """
    low, high = landmarks[:, :2].min(0), landmarks[:, :2].max(0)
    level, factor = picture.no_finer_than(max(1.0, float((high - low).max()) / _SIDE))
    x, y = np.floor(low / factor).astype(int)
    width, height = np.maximum(np.ceil((high - low) / factor).astype(int), 2)
    pixels = padded_crop(level, int(x), int(y), int(width), int(height)).astype(np.float32)
    scale = min(1.0, _SIDE / max(width, height))
    grey = luma(
        np.asarray(
            cv2.resize(
                pixels,
                (max(2, round(width * scale)), max(2, round(height * scale))),
                interpolation=cv2.INTER_AREA,
            ),
            np.float32,
        )
    )
    return min(_kept(grey, 0), _kept(grey, 1))


def _kept(grey: Floats, axis: int) -> float:
    """Return the share of the steps along ``axis`` that a further blur takes away."""
    size = (_REACH, 1) if axis else (1, _REACH)
    blurred = np.asarray(cv2.blur(grey, size, borderType=cv2.BORDER_REPLICATE), np.float32)
    steps, soft = (np.abs(np.diff(values, axis=axis)) for values in (grey, blurred))
    lost = float(np.maximum(steps - soft, 0).mean())
    return lost / max(float(steps.mean()), _EVEN)
