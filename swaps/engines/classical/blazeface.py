"""Runs BlazeFace (Bazarevsky et al. 2019): the network, its anchors, and merging its boxes.

Detections are n×17 float32: x0, y0, x1, y1, score 0…1, then x, y of six key points (right eye, left
eye, nose, mouth, right ear, left ear), all in pixels.
"""

import math

import cv2
import numpy as np

from swaps.engines.classical.filters import shrink_picture
from swaps.engines.classical.models import Model
from swaps.engines.classical.types import Floats, Picture

NO_DETECTIONS = np.zeros((0, 17), np.float32)


class BlazeFace:
    """Detects faces in a picture: those that are upright, and many that are not.

    ``side`` is the side of the network's square input; ``per_cell`` gives boxes per cell by stride.
    """

    def __init__(self, model: Model, side: int, per_cell: dict[int, int]) -> None:
        self._model, self._side, self._anchors = model, side, anchors(side, per_cell)

    def __call__(self, picture: Picture, threshold: float) -> Floats:
        """Return all detections (n×17) with a score above ``threshold``, not merged."""
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
            return NO_DETECTIONS.copy()
        # Every pair is relative to its anchor, except the second: width and height.
        pairs = boxes.reshape(-1, 8, 2)[kept]
        anchors = self._anchors[kept, None] * self._side
        size = pairs[:, 1] / scale
        points = (np.delete(pairs, 1, axis=1) + anchors - [left, top]) / scale
        corners = np.concatenate([points[:, 0] - size / 2, points[:, 0] + size / 2], 1)
        return np.concatenate(
            [corners, scores[kept, None], points[:, 1:].reshape(-1, 12)], 1
        ).astype(np.float32)


def anchors(side: int, per_cell: dict[int, int]) -> Floats:
    """Return the anchors (n×2 float32, 0…1).

    The cells' centres, repeated for each box of a cell.
    """
    layers = []
    for stride, count in per_cell.items():
        centres = (np.arange(side // stride) + 0.5) / (side // stride)
        grid = np.stack(np.meshgrid(centres, centres), -1).reshape(-1, 2)
        layers.append(np.repeat(grid, count, axis=0))
    return np.concatenate(layers).astype(np.float32)


def merge_overlapping(found: Floats) -> Floats:
    """Merge overlapping detections (n×17) into their mean weighted by score, best first.

    Two overlap from an intersection over union of .3, or when one covers .6 of the smaller.
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


def eye_angle(detection: Floats) -> float:
    """Return the angle of the line through the eyes in radians, clockwise.

    0 for an upright face.
    """
    (rx, ry), (lx, ly) = detection[5:7], detection[7:9]
    return math.atan2(ly - ry, lx - rx)


def rotated_back(found: Floats, quarters: int, shape: tuple[int, int]) -> Floats:
    """Map detections found in ``np.rot90(picture, quarters)`` to the coordinates of the picture.

    ``shape``: rows and columns of the picture.
    """
    for left in range(quarters % 4, 0, -1):
        width = shape[left % 2]  # of the picture with one quarter turn less
        x, y = found[:, [0, 2, *range(5, 17, 2)]], found[:, [1, 3, *range(6, 17, 2)]]
        turned = found.copy()
        turned[:, [2, 0, *range(5, 17, 2)]] = width - y
        turned[:, [1, 3, *range(6, 17, 2)]] = x
        found = turned
    return found


def rotated_by_180(detection: Floats) -> Floats:
    """Return the detection with its key points rotated by 180° about the centre of its box."""
    turned = detection.copy()
    turned[5:] = np.tile(detection[:2] + detection[2:4], 6) - detection[5:]
    return turned
