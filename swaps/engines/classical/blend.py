"""Blends the face into the target without a seam: Laplacian pyramids (Burt & Adelson 1983)."""

import math
from itertools import pairwise

import cv2
import numpy as np

from swaps.engines.classical.filters import smooth
from swaps.engines.classical.types import Floats, Mask


def blend(face: Floats, target: Floats, mask: Mask, *, size: float) -> Floats:
    """Return ``face`` blended into ``target``.

    Each frequency band gets a mask as soft as it is wide.

    Both are H×W×3 float32, 0…255, and ``mask`` is H×W. ``size`` of the face in pixels sets the
    number of levels: at the coarsest a face is 24 pixels wide, so that light does not spread from
    one cheek to the other. Pyramids are linear, so one of the difference serves for both pictures.
    """
    levels = int(np.clip(math.log2(max(size, 32) / 24), 1, 5))
    weights = _reductions(smooth(mask, 0, 1), levels)
    bands = _bands(face - target, levels)
    change = bands[-1] * weights[-1][..., None]
    for band, weight in zip(bands[-2::-1], weights[-2::-1], strict=True):
        change = _expand(change, band)
        change += band * weight[..., None]
    return target + change


def _bands(values: Floats, levels: int) -> list[Floats]:
    """Return the Laplacian pyramid.

    What each reduction loses, finest first, and the last reduction.
    """
    bands = _reductions(values, levels)
    for finer, coarser in pairwise(bands):
        np.subtract(finer, _expand(coarser, finer), out=finer)
    return bands


def _reductions(values: Floats, levels: int) -> list[Floats]:
    pyramid = [values]
    for _ in range(levels):
        pyramid.append(np.asarray(cv2.pyrDown(pyramid[-1]), np.float32))
    return pyramid


def _expand(values: Floats, like: Floats) -> Floats:
    rows, columns = like.shape[:2]
    return np.asarray(cv2.pyrUp(values, dstsize=(columns, rows)), np.float32)
