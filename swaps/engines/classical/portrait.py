"""Cuts a face out of its picture, small, and measures how sharp it is."""

from dataclasses import dataclass

import cv2
import numpy as np

from swaps.engines.classical.filters import lab, luma, padded_crop
from swaps.engines.classical.geometry import face_size
from swaps.engines.classical.pyramid import Pyramid
from swaps.engines.classical.types import AnyArray, Floats, Landmarks

_SIDE = 192  # pixels: larger faces are reduced to this, since few people look at them any larger
_EVEN = 0.01  # levels of 255: steps in an even area come from rounding
_REACH = 9  # pixels of the blur that is compared with, as in the paper


@dataclass(frozen=True, kw_only=True)
class Portrait:
    """The box of a face, reduced to at most 192 px: ``pixels`` are H×W×3 float32, 0…255.

    ``landmarks`` (468×3) are in the picture, ``points`` (468×2) the same in ``pixels``.
    """

    pixels: Floats
    points: AnyArray
    landmarks: Landmarks

    @property
    def size(self) -> float:
        """The longer side of the face's box in pixels of the picture."""
        return face_size(self.landmarks)

    @property
    def own_sharpness(self) -> float:
        """The sharpness at the face's own size."""
        return self.sharpness(self.size)

    @property
    def light(self) -> float:
        """The L (0…100) of the lightest twentieth of the inner half of the face's box."""
        rows, columns = (side // 4 for side in self.pixels.shape[:2])
        inner = self.pixels[rows : 3 * rows + 1, columns : 3 * columns + 1]
        return float(np.percentile(lab(inner)[..., 0], 95))

    def sharpness(self, side: float) -> float:
        """Return the sharpness of the face, 0…1, when its box has ``side`` pixels, at most 192.

        It is 1 minus the blur metric of Crete et al. 2007, "The blur effect": a further blur takes
        away little of the steps between neighbouring pixels where they are soft already. Eyes,
        brows and lips count most. A sharp photo has about .5, one that is out of focus .25 or less.
        """
        rows, columns = self.pixels.shape[:2]
        scale = min(side, _SIDE) / max(rows, columns)
        grey = luma(self.pixels)
        shape = max(2, round(columns * scale)), max(2, round(rows * scale))
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        grey = np.asarray(cv2.resize(grey, shape, interpolation=method), np.float32)
        return min(_lost_to_blur(grey, 0), _lost_to_blur(grey, 1))


def portrait(picture: Pyramid, landmarks: Landmarks) -> Portrait:
    """Return a face of the picture; beyond the border, the border's pixels are repeated."""
    low, high = landmarks[:, :2].min(0), landmarks[:, :2].max(0)
    level, factor = picture.no_finer_than(max(1.0, float((high - low).max()) / _SIDE))
    corner = np.floor(low / factor).astype(int)
    width, height = np.maximum(np.ceil(high / factor).astype(int) - corner, 2)
    pixels = padded_crop(level, int(corner[0]), int(corner[1]), int(width), int(height))
    scale = min(1.0, _SIDE / max(width, height))
    shape = max(2, round(width * scale)), max(2, round(height * scale))
    small = cv2.resize(pixels, shape, interpolation=cv2.INTER_AREA)
    factors = np.array(shape) / [width, height]
    return Portrait(
        pixels=np.asarray(small, np.float32),
        points=(landmarks[:, :2] / factor - corner) * factors,
        landmarks=landmarks,
    )


def _lost_to_blur(grey: Floats, axis: int) -> float:
    """Return the share of the steps along ``axis`` that a further blur takes away."""
    size = (_REACH, 1) if axis else (1, _REACH)
    blurred = np.asarray(cv2.blur(grey, size, borderType=cv2.BORDER_REPLICATE), np.float32)
    steps, soft = (np.abs(np.diff(values, axis=axis)) for values in (grey, blurred))
    lost = float(np.maximum(steps - soft, 0).mean())
    return lost / max(float(steps.mean()), _EVEN)
