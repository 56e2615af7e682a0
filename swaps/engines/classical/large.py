"""Large faces are worked at a lower resolution and put back with the target's own fine detail."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from swaps.engines.classical.detail import grain, robust_deviation
from swaps.engines.classical.filters import enlarge, shrink_picture
from swaps.engines.classical.geometry import size
from swaps.engines.classical.types import Face, Floats, Mask, Picture

_PADDED = 1.24  # the region's side in faces
_SURROUNDINGS = 0.15  # of the face: what is kept of the picture around it
_LEAST, _MOST = 512.0, 1024.0  # pixels of the region worked at
_FINER = 1.25  # than the source's: finer than it can fill is a waste
_STRIP = 64  # rows put back at a time: they stay in the processor's cache
_GRAIN_SIGMA = 0.8
_LOST = 0.4  # levels: less lost detail than this needs no grain


@dataclass(frozen=True, kw_only=True)
class Work:
    """The part of the target that is worked on: ``picture`` = the box, reduced by ``scale``."""

    picture: Picture
    face: Face
    box: tuple[int, int, int, int]  # x, y, width, height in the target
    is_reduced: bool


def working_copy(target: Picture, face: Face, source: Face) -> Work:
    """The whole target, or a reduced copy of the face's surroundings."""
    region = _PADDED * size(face.landmarks)
    limit = min(_MOST, max(_LEAST, _FINER * _PADDED * size(source.landmarks)))
    rows, columns = target.shape[:2]
    if region <= 1.15 * limit:
        return Work(picture=target, face=face, box=(0, 0, columns, rows), is_reduced=False)
    margin = _SURROUNDINGS * size(face.landmarks)
    points = face.landmarks[:, :2]
    x0, y0 = (max(0, int(v)) for v in points.min(0) - margin)
    x1, y1 = (int(v) for v in np.minimum(points.max(0) + margin, [columns, rows]))
    width, height = x1 - x0, y1 - y0
    new_w, new_h = max(1, round(width * limit / region)), max(1, round(height * limit / region))
    small = shrink_picture(target[y0:y1, x0:x1], new_w, new_h)
    return Work(
        picture=small,
        face=face.moved((new_w / width, new_h / height), (x0, y0)),
        box=(x0, y0, width, height),
        is_reduced=True,
    )


def put_back(original: Picture, before: Picture, after: Picture, mask: Mask) -> None:
    """Write the swap into ``original`` (H×W×3, in place).

    Each changed pixel becomes enlarged ``after`` + what ``before`` had lost + grain. ``before``
    and ``after`` (h×w×3) are the reduced box without and with the swap. The lost detail is the
    target's, so it fades where ``mask`` (h×w) is the source's; grain as strong replaces it there.
    """
    rows, columns = original.shape[:2]
    full = (columns, rows)
    old = np.asarray(cv2.resize(before, full, interpolation=cv2.INTER_LINEAR), np.uint8)
    new = cv2.resize(after, full, interpolation=cv2.INTER_CUBIC)
    difference = np.asarray(cv2.absdiff(before, after), np.uint8)
    touched = difference[..., 0] | difference[..., 1] | difference[..., 2]
    is_changed = np.asarray(cv2.resize(touched, full, interpolation=cv2.INTER_NEAREST), np.uint8)
    weight = enlarge(mask, columns, rows)
    noise = _lost_grain(original, old, weight)
    for part in _strips(is_changed):
        share = weight[part]
        lost = cv2.subtract(original[part], old[part], dtype=cv2.CV_16S)
        detail = cv2.multiply(lost, cv2.merge([1 - share] * 3), dtype=cv2.CV_32F)
        if noise is not None:
            cv2.add(detail, cv2.merge([noise[: len(share), : share.shape[1]] * share] * 3), detail)
        swapped = cv2.add(new[part], detail, dtype=cv2.CV_8U)
        cv2.copyTo(swapped, is_changed[part], original[part])


def _strips(is_changed: Picture) -> Iterator[tuple[slice, slice]]:
    """The box around all changes, some rows at a time: memory does not grow with the picture."""
    x, y, width, height = cv2.boundingRect(is_changed)
    for top in range(y, y + height, _STRIP):
        yield slice(top, min(y + height, top + _STRIP)), slice(x, x + width)


def _lost_grain(original: Picture, old: Picture, weight: Mask) -> Floats | None:
    """One strip of grain as strong as the detail that the reduction lost within the mask."""
    every = slice(None, None, 5), slice(None, None, 5)
    lost = original[every][..., 1].astype(np.float32) - old[every][..., 1]
    deviation = robust_deviation(lost[weight[every] > 0.95])
    if deviation <= _LOST:
        return None
    return grain((_STRIP, original.shape[1]), deviation, _GRAIN_SIGMA)
