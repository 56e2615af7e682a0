"""Swaps large faces at a lower resolution, and restores the target's own fine detail afterwards."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from swaps.engines.classical.detail import grain, robust_deviation
from swaps.engines.classical.filters import enlarge, shrink_picture
from swaps.engines.classical.geometry import face_size
from swaps.engines.classical.types import Face, Floats, Mask, Picture

_PADDED = 1.24  # the region's side in faces
_SURROUNDINGS = 0.15  # of the face's size: margin of the working copy
_MIN_REGION, _MAX_REGION = 512.0, 1024.0  # pixels, of the region at working resolution
_FINER = 1.25  # times the source's resolution: more is wasted
_STRIP = 64  # rows written at a time, to fit the processor's cache
_GRAIN_SIGMA = 0.8
_LOST = 0.4  # levels of 255: below this, lost detail needs no grain


@dataclass(frozen=True, kw_only=True)
class Work:
    """The part of the target to work on: ``picture`` is ``box`` of the target, reduced."""

    picture: Picture
    face: Face
    box: tuple[int, int, int, int]  # x, y, width, height in the target
    is_reduced: bool


def working_copy(target: Picture, face: Face, source: Face) -> Work:
    """Return the whole target, or a reduced copy of the surroundings of a large face."""
    region = _PADDED * face_size(face.landmarks)
    limit = min(_MAX_REGION, max(_MIN_REGION, _FINER * _PADDED * face_size(source.landmarks)))
    rows, columns = target.shape[:2]
    if region <= 1.15 * limit:
        return Work(picture=target, face=face, box=(0, 0, columns, rows), is_reduced=False)
    margin = _SURROUNDINGS * face_size(face.landmarks)
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


def composite_full_size(
    result: Picture, original: Picture, before: Picture, after: Picture, mask: Mask
) -> None:
    """Write the swap into ``result`` (H×W×3 uint8, in place) at full resolution.

    ``original`` (H×W×3) is the target there; it may be ``result`` itself. Each changed pixel is
    enlarged ``after`` + what ``before`` had lost + grain. ``before`` and ``after`` (h×w×3) are the
    reduced box without and with the swap. The lost detail is the target's, so it fades where
    ``mask`` (h×w) is the source's; grain of equal strength replaces it there.
    """
    rows, columns = original.shape[:2]
    full = (columns, rows)
    old = np.asarray(cv2.resize(before, full, interpolation=cv2.INTER_LINEAR), np.uint8)
    new = cv2.resize(after, full, interpolation=cv2.INTER_CUBIC)
    is_changed = np.asarray(
        cv2.resize(changed_pixels(before, after), full, interpolation=cv2.INTER_NEAREST), np.uint8
    )
    weight = enlarge(mask, columns, rows)
    noise = _lost_grain(original, old, weight)
    for part in _strips(is_changed):
        share = weight[part]
        lost = cv2.subtract(original[part], old[part], dtype=cv2.CV_16S)
        detail = cv2.multiply(lost, cv2.merge([1 - share] * 3), dtype=cv2.CV_32F)
        if noise is not None:
            cv2.add(detail, cv2.merge([noise[: len(share), : share.shape[1]] * share] * 3), detail)
        swapped = cv2.add(new[part], detail, dtype=cv2.CV_8U)
        cv2.copyTo(swapped, is_changed[part], result[part])


def changed_pixels(before: Picture, after: Picture) -> Picture:
    """Return H×W uint8, not 0 where two pictures (H×W×3) differ."""
    difference = np.asarray(cv2.absdiff(before, after), np.uint8)
    return difference[..., 0] | difference[..., 1] | difference[..., 2]


def _strips(is_changed: Picture) -> Iterator[tuple[slice, slice]]:
    """Yield the box around all changes in strips, so that memory does not grow with the picture."""
    x, y, width, height = cv2.boundingRect(is_changed)
    for top in range(y, y + height, _STRIP):
        yield slice(top, min(y + height, top + _STRIP)), slice(x, x + width)


def _lost_grain(original: Picture, old: Picture, weight: Mask) -> Floats | None:
    """Return a strip of grain as strong as the detail that was lost within the mask.

    None for little.
    """
    every = slice(None, None, 5), slice(None, None, 5)
    lost = original[every][..., 1].astype(np.float32) - old[every][..., 1]
    deviation = robust_deviation(lost[weight[every] > 0.95])
    if deviation <= _LOST:
        return None
    return grain((_STRIP, original.shape[1]), deviation, _GRAIN_SIGMA)
