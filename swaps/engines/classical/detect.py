"""Detects faces of any size and at any angle, in pictures of any shape.

The networks find upright faces that fill a tenth to all of their input, so the picture is searched
through square windows: large ones first, and unrotated before rotated.
"""

import math
from pathlib import Path

import numpy as np

from swaps.engines.classical.blazeface import (
    NO_DETECTIONS,
    BlazeFace,
    eye_angle,
    merge_overlapping,
    rotated_back,
)
from swaps.engines.classical.filters import padded_crop
from swaps.engines.classical.models import Model
from swaps.engines.classical.pyramid import Pyramid
from swaps.engines.classical.types import Floats, Picture

_SIDE = 1600  # pixels: larger windows are reduced to this side
_MIN_FACE = 16.0  # pixels across, of a face of 20 px in height; smaller ones are guesses
_MAX_WINDOWS = 240  # in one search: about a second
_MIN_WINDOW = 128.0  # pixels: a face of 20 px fills enough of it
_CERTAIN_SCORE = 0.9  # score; upside down faces have reached .87
_CERTAIN_ANGLE = math.radians(60)
_SAME_WAY = math.radians(50)
_AROUND = 2.0  # box sides: the surroundings that tell which way up a face is


class Detector:
    """Detects all faces of a picture, small ones through overlapping windows."""

    def __init__(self, folder: Path, threads: int) -> None:
        near = Model(
            folder, "face_detection_short_range", ("regressors", "classificators"), threads
        )
        far = Model(folder, "face_detection_full_range_sparse", ("Identity", "Identity_1"), threads)
        self._near = BlazeFace(near, 128, {8: 2, 16: 6})
        self._far = BlazeFace(far, 192, {4: 1})

    def __call__(self, picture: Pyramid, *, quarters: int = 0, depth: int = 0) -> Floats:
        """Return the merged detections (n×17) of one search, in pixels of the picture.

        ``quarters``: by how many quarter turns to the left the picture is rotated before the
        search. ``depth``: 0 searches the whole picture, or square windows of an elongated one, and
        windows of half that side where only small faces were found; 1 and 2 search windows of a
        quarter and an eighth. A search that would need more than 240 windows, or windows smaller
        than 128 px, finds nothing.
        """
        shorter, longer = sorted(picture[0].shape[:2])
        if shorter < _MIN_FACE:
            return NO_DETECTIONS.copy()
        span = max(min(longer, 2 * shorter), 2 * longer / _MAX_WINDOWS)
        if depth:
            span /= 2 ** (depth + 1)
            if span < _MIN_WINDOW:
                return NO_DETECTIONS.copy()
        small, factor = picture.no_finer_than(2 ** max(0, math.ceil(math.log2(span / _SIDE))))
        turned = np.ascontiguousarray(np.rot90(small, quarters))
        found = self._search(turned, math.ceil(span / factor), is_fine=depth > 0)
        found = rotated_back(merge_overlapping(found), quarters, small.shape[:2])
        found[:, [*range(4), *range(5, 17)]] *= factor
        found = found[found[:, 2] - found[:, 0] >= _MIN_FACE]
        upright = [self._oriented(picture, detection, quarters) for detection in found]
        return np.array([u for u in upright if u is not None], np.float32).reshape(-1, 17)

    def _search(self, picture: Picture, side: int, *, is_fine: bool) -> Floats:
        if is_fine:
            return self._in_windows(picture, side, 0.7)
        found = self._in_windows(picture, side, 0.6, near=0.5)
        # Both networks miss faces that are small in their input.
        if side > 500 and (not len(found) or np.ptp(found[:, 0:4:2], 1).max() < 0.16 * side):
            found = np.concatenate([found, self._in_windows(picture, side // 2, 0.7)])
        return found

    def _in_windows(
        self, picture: Picture, side: int, threshold: float, near: float | None = None
    ) -> Floats:
        """Return the detections of all windows.

        Boxes that touch a window's inner edge are left out.
        """
        height, width = picture.shape[:2]
        corners = [
            (x, y) for y in _window_offsets(height, side) for x in _window_offsets(width, side)
        ]
        if len(corners) > _MAX_WINDOWS:
            return NO_DETECTIONS.copy()
        parts = [NO_DETECTIONS]
        for left, top in corners:
            window = picture[top : top + side, left : left + side]
            found = self._far(window, threshold)
            if near is not None:
                found = np.concatenate([self._near(window, near), found])
            found[:, [0, 2, *range(5, 17, 2)]] += left
            found[:, [1, 3, *range(6, 17, 2)]] += top
            bottom, right = top + window.shape[0], left + window.shape[1]
            whole = (
                ((found[:, 0] > left + 4) | (left == 0))
                & ((found[:, 1] > top + 4) | (top == 0))
                & ((found[:, 2] < right - 4) | (right == width))
                & ((found[:, 3] < bottom - 4) | (bottom == height))
            )
            parts.append(found[whole])
        return np.concatenate(parts)

    def _oriented(self, picture: Pyramid, detection: Floats, quarters: int) -> Floats | None:
        """Return the detection with its key points the right way up.

        None if it turns out to be no face.

        The networks find eyes at the mouth of a face that is upside down. Unless the detection is
        certain, four rotated copies of its surroundings vote: right answers agree, and an upright
        face has the best score.
        """
        if detection[4] >= _CERTAIN_SCORE and _is_near(
            eye_angle(detection), quarters * math.pi / 2, _CERTAIN_ANGLE
        ):
            return detection
        side = _AROUND * float((detection[2:4] - detection[:2]).max())
        level, factor = picture.no_finer_than(side / 256)
        corner = ((detection[:2] + detection[2:4] - side) / 2 / factor).round().astype(int)
        cells = max(2, round(side / factor))
        patch = padded_crop(level, int(corner[0]), int(corner[1]), cells, cells)
        votes = self._orientation_votes(patch)
        if not len(votes):
            return None
        lines = [eye_angle(vote) for vote in votes]
        agreed = [[_is_near(a, b, _SAME_WAY) for b in lines] for a in lines]
        winner = int(np.argmax(np.array(agreed) @ votes[:, 4]))
        best = votes[agreed[winner]][0]
        best[[*range(4), *range(5, 17)]] += np.tile(corner, 8)
        best[[*range(4), *range(5, 17)]] *= factor
        return np.asarray(best, np.float32)

    def _orientation_votes(self, patch: Picture) -> Floats:
        """Return the best detection over the centre of each of four rotated copies, best first."""
        middle = len(patch) / 2
        votes = [NO_DETECTIONS]
        for quarters in range(4):
            found = self._near(np.ascontiguousarray(np.rot90(patch, quarters)), 0.3)
            found = rotated_back(found, quarters, patch.shape[:2])
            found = found[((found[:, :2] < middle) & (found[:, 2:4] > middle)).all(1)]
            votes.append(found[np.argsort(-found[:, 4])][:1])
        found = np.concatenate(votes)
        return found[np.argsort(-found[:, 4], kind="stable")]


def _window_offsets(length: int, side: int) -> list[int]:
    """Return where windows of ``side`` begin that cover ``length`` and overlap by half or more."""
    count = 1 + max(0, math.ceil(2 * (length - side) / side))
    return [round(i * (length - side) / max(1, count - 1)) for i in range(count)]


def _is_near(angle: float, other: float, limit: float) -> bool:
    return abs(math.remainder(angle - other, math.tau)) <= limit
