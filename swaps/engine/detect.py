"""Where faces are: BlazeFace (Bazarevsky et al. 2019), short and full range.

Detections are n×17 float32: x0, y0, x1, y1, score 0…1, then x, y of six key points
(right eye, left eye, nose, mouth, right ear, left ear), all in pixels.
"""

import math
from pathlib import Path

import cv2
import numpy as np

from swaps.engine.filters import shrink_picture
from swaps.engine.models import Model
from swaps.engine.types import Floats, Picture

_SIDE = 1024  # faces are searched in a picture of this side at most
_SMALLEST = 24.0  # pixels: below, the landmarks are guesses
_NONE = np.zeros((0, 17), np.float32)


class Detector:
    """All faces of a picture, the small ones through overlapping tiles."""

    def __init__(self, folder: Path, threads: int) -> None:
        near = Model(
            folder, "face_detection_short_range", ("regressors", "classificators"), threads
        )
        far = Model(folder, "face_detection_full_range_sparse", ("Identity", "Identity_1"), threads)
        self._near = _Net(near, 128, _anchors(128, {8: 2, 16: 6}))
        self._far = _Net(far, 192, _anchors(192, {4: 1}))

    def __call__(self, picture: Picture) -> Floats:
        scale = min(1.0, _SIDE / max(picture.shape[:2]))
        height, width = (max(1, round(side * scale)) for side in picture.shape[:2])
        small = shrink_picture(picture, width, height)
        found = np.concatenate([self._near(small, 0.5), self._far(small, 0.6)])
        side = max(width, height)
        # Both nets miss faces that are small in their input; tiles double the resolution.
        if side > 500 and (not len(found) or np.ptp(found[:, 0:4:2], 1).max() < 0.16 * side):
            found = np.concatenate([found, *self._in_tiles(small)])
        found = merge(found)
        found[:, 0::2][:, :2] *= picture.shape[1] / width
        found[:, 1::2][:, :2] *= picture.shape[0] / height
        found[:, 5::2] *= picture.shape[1] / width
        found[:, 6::2] *= picture.shape[0] / height
        return found[found[:, 2] - found[:, 0] >= _SMALLEST]

    def _in_tiles(self, picture: Picture) -> list[Floats]:
        """Half-size tiles in steps of a quarter; a box cut by a tile's inner edge is left out."""
        height, width = picture.shape[:2]
        side = max(width, height) // 2
        tiles = []
        for top in sorted({0, max(0, (height - side) // 2), max(0, height - side)}):
            for left in sorted({0, max(0, (width - side) // 2), max(0, width - side)}):
                tile = picture[top : top + side, left : left + side]
                found = self._far(tile, 0.7)
                found[:, [0, 2, *range(5, 17, 2)]] += left
                found[:, [1, 3, *range(6, 17, 2)]] += top
                bottom, right = top + tile.shape[0], left + tile.shape[1]
                whole = (
                    ((found[:, 0] > left + 4) | (left == 0))
                    & ((found[:, 1] > top + 4) | (top == 0))
                    & ((found[:, 2] < right - 4) | (right == width))
                    & ((found[:, 3] < bottom - 4) | (bottom == height))
                )
                tiles.append(found[whole])
        return tiles


class _Net:
    def __init__(self, model: Model, side: int, anchors: Floats) -> None:
        self._model, self._side, self._anchors = model, side, anchors

    def __call__(self, picture: Picture, threshold: float) -> Floats:
        height, width = picture.shape[:2]
        scale = self._side / max(height, width)
        new_w, new_h = max(1, round(width * scale)), max(1, round(height * scale))
        left, top = (self._side - new_w) // 2, (self._side - new_h) // 2
        padded = np.zeros((self._side, self._side, 3), np.float32)
        padded[top : top + new_h, left : left + new_w] = (
            shrink_picture(picture, new_w, new_h)
            if scale < 1
            else cv2.resize(picture, (new_w, new_h), interpolation=cv2.INTER_LINEAR)
        )
        boxes, logits = self._model(padded / np.float32(127.5) - 1)
        scores = 1 / (1 + np.exp(-np.clip(logits.ravel(), -50, 50)))
        kept = np.flatnonzero(scores > threshold)
        if not len(kept):
            return _NONE.copy()
        # Every pair is relative to its anchor, except width and height.
        pairs = boxes.reshape(-1, 8, 2)[kept]
        anchors = self._anchors[kept, None] * self._side
        size = pairs[:, 1] / scale
        points = (np.delete(pairs, 1, axis=1) + anchors - [left, top]) / scale
        corners = np.concatenate([points[:, 0] - size / 2, points[:, 0] + size / 2], 1)
        return np.concatenate(
            [corners, scores[kept, None], points[:, 1:].reshape(-1, 12)], 1
        ).astype(np.float32)


def _anchors(side: int, per_cell: dict[int, int]) -> Floats:
    """Centres, 0…1, of the cells of each stride, each as often as the net has boxes there."""
    layers = []
    for stride, count in per_cell.items():
        centres = (np.arange(side // stride) + 0.5) / (side // stride)
        grid = np.stack(np.meshgrid(centres, centres), -1).reshape(-1, 2)
        layers.append(np.repeat(grid, count, axis=0))
    return np.concatenate(layers).astype(np.float32)


def merge(found: Floats) -> Floats:
    """Overlapping detections become their mean, weighted by score, best first.

    Two overlap from an intersection over union of .3, or when one holds most of the other.
    """
    found = found[np.argsort(-found[:, 4], kind="stable")]
    merged = []
    while len(found):
        first = found[0]
        sides = np.minimum(first[2:4], found[:, 2:4]) - np.maximum(first[:2], found[:, :2])
        common = np.clip(sides, 0, None).prod(1)
        areas = (found[:, 2:4] - found[:, :2]).prod(1)
        same = common > 0.3 * np.maximum(areas[0] + areas - common, 1e-6)
        same |= common > 0.6 * np.maximum(np.minimum(areas[0], areas), 1e-6)
        same[0] = True
        group, weights = found[same], found[same, 4:5]
        mean = (group * weights).sum(0) / weights.sum()
        mean[4] = first[4]
        merged.append(mean)
        found = found[~same]
    return np.array(merged, np.float32).reshape(-1, 17)


def eye_line(detection: Floats) -> float:
    """The angle of the line through the eyes, radians."""
    (rx, ry), (lx, ly) = detection[5:7], detection[7:9]
    return math.atan2(ly - ry, lx - rx)
