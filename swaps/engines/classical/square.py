"""The network's input: an upright square around a face, and the maps of its mesh."""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from swaps.engines.classical.filters import lab
from swaps.engines.classical.mesh import CANONICAL, LEFT_BROW, LEFT_EYE, LIPS, RIGHT_BROW, RIGHT_EYE
from swaps.engines.classical.types import AnyArray, Floats, Picture

SIDE = 192
REACH = 1.45  # the square's side in faces
_SPREAD = np.array([18, 9, 9], np.float32)  # of Lab; colours are divided by it


@dataclass(frozen=True, kw_only=True)
class Maps:
    """What the mesh says about each pixel of the square (float32, H×W)."""

    canonical: Floats  # H×W×2: position in the mean face
    hull: Floats
    eyes: Floats
    brows: Floats
    lips: Floats

    def stacked(self) -> Floats:
        """Return all as H×W×6."""
        layers = [self.canonical, self.hull, self.eyes, self.brows, self.lips]
        return np.dstack(layers).astype(np.float32)

    @classmethod
    def unstacked(cls, maps: Floats) -> "Maps":
        """Return maps from their H×W×6 stack."""
        hull, eyes, brows, lips = (np.ascontiguousarray(maps[..., i]) for i in range(2, 6))
        return cls(canonical=maps[..., :2], hull=hull, eyes=eyes, brows=brows, lips=lips)


def to_square(landmarks: AnyArray, side: int = SIDE) -> AnyArray:
    """Return the similarity (2×3) that maps the picture to the upright square around the face."""
    points = landmarks[:, :2].astype(np.float64)
    eyes = points[263] - points[33]
    angle = math.atan2(eyes[1], eyes[0])
    c, s = math.cos(angle), math.sin(angle)
    turn = np.array([[c, s], [-s, c]])
    upright = points @ turn.T
    low, high = upright.min(0), upright.max(0)
    scale = side / (REACH * float((high - low).max()))
    return np.column_stack([turn * scale, side / 2 - scale * (low + high) / 2])


def cut(picture: Picture, to: AnyArray, side: int = SIDE) -> Picture:
    """Return the square (side×side×3 uint8) of a picture, which is reduced by area first."""
    scale = math.sqrt(abs(np.linalg.det(to[:, :2])))
    matrix = to.copy()
    if scale < 0.5:
        factor = 2 ** int(-math.log2(scale))
        corners = cv2.invertAffineTransform(to) @ np.array(
            [[0, side, 0, side], [0, 0, side, side], [1, 1, 1, 1]], np.float64
        )
        x0, y0 = np.maximum(np.floor(corners.min(1)).astype(int), 0)
        x1, y1 = np.minimum(np.ceil(corners.max(1)).astype(int), picture.shape[1::-1])
        part = picture[y0:y1, x0:x1]
        size = (max(1, part.shape[1] // factor), max(1, part.shape[0] // factor))
        picture = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)
        sx, sy = part.shape[1] / size[0], part.shape[0] / size[1]
        matrix = matrix @ np.array([[sx, 0, x0], [0, sy, y0], [0, 0, 1]])
    matrix[:, 2] += matrix[:, :2] @ [0.5, 0.5] - 0.5
    square = cv2.warpAffine(
        picture, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(square, np.uint8)


def maps_of(points: AnyArray) -> Maps:
    """Return the maps of a mesh whose vertices stand at 468×2 points of the square."""
    return Maps(
        canonical=_canonical(points),
        hull=_filled(points, list(range(len(points))), convex=True),
        eyes=_filled(points, RIGHT_EYE, LEFT_EYE),
        brows=_filled(points, RIGHT_BROW, LEFT_BROW),
        lips=_filled(points, LIPS, convex=True),
    )


def channels(square: Picture | Floats, maps: Maps) -> tuple[Floats, Floats]:
    """Return what the network sees: colour (192×192×3) and the mesh's maps (96×96×6), float32.

    Colour is Lab relative to the median of the skin, clipped to ±5.
    """
    colour = lab(square)
    x, y = maps.canonical[..., 0], maps.canonical[..., 1]
    core = (np.abs(x) < 0.36) & (y > -0.12) & (y < 0.3) & (maps.lips < 0.1) & (maps.hull > 0.5)
    inside = colour[core][::3] if core.sum() > 40 else colour.reshape(-1, 3)
    colour = np.clip((colour - np.median(inside, axis=0)) / _SPREAD, -5, 5)
    stacked = maps.stacked()
    stacked[..., :2] = np.clip(stacked[..., :2], -1, 1) * 2
    half = cv2.resize(stacked, (SIDE // 2, SIDE // 2), interpolation=cv2.INTER_AREA)
    return colour.astype(np.float32), np.asarray(half, np.float32)


def _canonical(points: AnyArray) -> Floats:
    """Return the position in the mean face of every pixel: a linear fit and the smoothed rest."""
    side = SIDE // 4
    at = np.column_stack([points / 4, np.ones(len(points))])
    fit = np.linalg.lstsq(at, CANONICAL[:, :2], rcond=None)[0]
    rest = CANONICAL[:, :2] - at @ fit
    total: Floats = np.zeros((side, side, 3), np.float32)
    column, row = np.clip(at[:, :2].astype(int), 0, side - 1).T
    np.add.at(total, (row, column), np.column_stack([rest, at[:, 2]]).astype(np.float32))
    total = np.asarray(cv2.GaussianBlur(total, (0, 0), 1.5), np.float32)
    y, x = np.mgrid[0:side, 0:side] + 0.5
    linear = np.stack([x, y, np.ones_like(x)], -1) @ fit
    found = (linear + total[..., :2] / (total[..., 2:] + 1e-3)).astype(np.float32)
    return np.asarray(cv2.resize(found, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR), np.float32)


def _filled(points: AnyArray, *rings: list[int], convex: bool = False) -> Floats:
    corners = np.round((points - 0.5) * 16).astype(np.int32)
    mask = np.zeros((SIDE, SIDE), np.uint8)
    for ring in rings:
        shape = cv2.convexHull(corners[ring]) if convex else corners[ring]
        cv2.fillPoly(mask, [shape], 255, cv2.LINE_AA, 4)
    return np.asarray(mask / 255, np.float32)
