"""Tells for each pixel of a face what it shows: bare face, beard, glasses, or something in front.

A small U-Net of our own (273,000 weights), trained on photographs with drawn glasses, hair, hands
and things (``make train-parse``). It sees an upright square around the face: Lab relative to the
skin, and maps of the mesh.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter

from swaps.engines.classical.filters import lab, shrink
from swaps.engines.classical.mesh import (
    CANONICAL,
    LEFT_BROW,
    LEFT_EYE,
    LIPS,
    RIGHT_BROW,
    RIGHT_EYE,
)
from swaps.engines.classical.types import AnyArray, Floats, Landmarks, Mask, Picture

PARSE_MODEL = Path(__file__).with_name("parse.tflite")
SIDE = 192
_REACH = 1.45  # the square's side in faces
_SPREAD = np.array([18, 9, 9], np.float32)  # of Lab, by which colours are divided
_MIN_CORE = 40  # pixels
BARE, BEARD, GLASSES, OTHER = range(4)


@dataclass(frozen=True, kw_only=True)
class Parse:
    """The parse of one face.

    ``maps`` (192×192×4) are probabilities in an upright square, ``to_square`` (2×3) maps the
    picture to it, ``eyes`` (192×192) is a mask of the eyes.
    """

    maps: Floats
    to_square: AnyArray
    eyes: Mask

    def at(self, positions: Floats) -> Floats:
        """Return the probabilities (H×W×4) at H×W×2 positions, in pixels of the picture."""
        matrix = self.to_square.astype(np.float32)
        x, y = positions[..., 0], positions[..., 1]
        u = matrix[0, 0] * x + (matrix[0, 1] * y + (matrix[0, 2] - np.float32(0.5)))
        v = matrix[1, 0] * x + (matrix[1, 1] * y + (matrix[1, 2] - np.float32(0.5)))
        return np.asarray(
            cv2.remap(self.maps, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE),
            np.float32,
        )


class Parser:
    """Runs the network; create it once per process."""

    def __init__(self, path: Path, threads: int) -> None:
        self._net = Interpreter(str(path), num_threads=threads)
        self._net.allocate_tensors()
        inputs = sorted(self._net.get_input_details(), key=lambda d: -d["shape"][1])
        self._colour, self._maps = (detail["index"] for detail in inputs)
        self._out = self._net.get_output_details()[0]["index"]

    def __call__(self, picture: Picture, landmarks: Landmarks) -> Parse:
        """Parse the face with these landmarks, in pixels of the picture."""
        to_square = _square_around(landmarks)
        points = landmarks[:, :2] @ to_square[:, :2].T + to_square[:, 2]
        colour = lab(_cut(picture, to_square))
        canonical, parts = _canonical_positions(points), _part_masks(points)
        x, y = canonical[..., 0], canonical[..., 1]
        core = (np.abs(x) < 0.36) & (y > -0.12) & (y < 0.3) & (parts[3] < 0.1) & (parts[0] > 0.5)
        plain = colour[core][::3] if core.sum() > _MIN_CORE else colour.reshape(-1, 3)
        colour = np.clip((colour - np.median(plain, axis=0)) / _SPREAD, -5, 5).astype(np.float32)
        maps = np.dstack([np.clip(canonical, -1, 1) * 2, *parts]).astype(np.float32)
        maps = shrink(maps, SIDE // 2, SIDE // 2)
        self._net.set_tensor(self._colour, colour[None])
        self._net.set_tensor(self._maps, maps[None])
        self._net.invoke()
        found = np.array(self._net.get_tensor(self._out)[0], np.float32)
        return Parse(maps=found, to_square=to_square, eyes=parts[1])


def _square_around(landmarks: Landmarks) -> AnyArray:
    """Return the map (2×3) from the picture to the upright square around the face."""
    points = landmarks[:, :2].astype(np.float64)
    eyes = points[263] - points[33]
    angle = math.atan2(eyes[1], eyes[0])
    cosine, sine = math.cos(angle), math.sin(angle)
    turn = np.array([[cosine, sine], [-sine, cosine]])
    upright = points @ turn.T
    low, high = upright.min(0), upright.max(0)
    scale = SIDE / (_REACH * float((high - low).max()))
    return np.column_stack([turn * scale, SIDE / 2 - scale * (low + high) / 2])


def _cut(picture: Picture, to_square: AnyArray) -> Picture:
    """Return the square (192×192×3), reduced by area averaging where the face is large."""
    scale = math.sqrt(abs(np.linalg.det(to_square[:, :2])))
    matrix = to_square.copy()
    if scale < 0.5:
        factor = 2 ** int(-math.log2(scale))
        back = cv2.invertAffineTransform(to_square)
        corners = back @ np.array([[0, SIDE, 0, SIDE], [0, 0, SIDE, SIDE], [1, 1, 1, 1.0]])
        x0, y0 = np.maximum(np.floor(corners.min(1)).astype(int), 0)
        x1, y1 = np.minimum(np.ceil(corners.max(1)).astype(int), picture.shape[1::-1])
        part = picture[y0:y1, x0:x1]
        small = (max(1, part.shape[1] // factor), max(1, part.shape[0] // factor))
        picture = np.asarray(cv2.resize(part, small, interpolation=cv2.INTER_AREA), np.uint8)
        sx, sy = part.shape[1] / small[0], part.shape[0] / small[1]
        matrix @= np.array([[sx, 0, x0], [0, sy, y0], [0, 0, 1]])
    matrix[:, 2] += matrix[:, :2] @ [0.5, 0.5] - 0.5
    square = cv2.warpAffine(
        picture, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(square, np.uint8)


def _canonical_positions(points: AnyArray) -> Floats:
    """Return x and y in the mean face (192×192×2): a linear fit and the smoothed rest."""
    side = SIDE // 4
    at = points / 4
    ones = np.ones(len(at))
    table = np.column_stack([at, ones])
    fit = np.linalg.lstsq(table, CANONICAL[:, :2], rcond=None)[0]
    rest = CANONICAL[:, :2] - table @ fit
    total = np.zeros((side, side, 3), np.float32)
    cell = np.clip(at.astype(int), 0, side - 1)
    np.add.at(total, (cell[:, 1], cell[:, 0]), np.column_stack([rest, ones]).astype(np.float32))
    total = np.asarray(cv2.GaussianBlur(total, (0, 0), 1.5), np.float32)
    y, x = np.mgrid[0:side, 0:side] + 0.5
    linear = np.stack([x, y, np.ones_like(x)], -1) @ fit
    found = (linear + total[..., :2] / (total[..., 2:] + 1e-3)).astype(np.float32)
    enlarged = cv2.resize(found, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    return np.asarray(enlarged, np.float32)


def _part_masks(points: AnyArray) -> list[Mask]:
    """Return masks (192×192) of the whole face, the eyes, the brows and the lips."""
    corners = np.round((points - 0.5) * 16).astype(np.int32)

    def filled(*rings: list[int], hull: bool = False) -> Mask:
        mask = np.zeros((SIDE, SIDE), np.uint8)
        for ring in rings:
            outline = cv2.convexHull(corners[ring]) if hull else corners[ring]
            cv2.fillPoly(mask, [np.asarray(outline)], 255, cv2.LINE_AA, 4)
        return np.asarray(mask, np.float32) / np.float32(255)

    return [
        filled(list(range(len(points))), hull=True),
        filled(RIGHT_EYE, LEFT_EYE),
        filled(RIGHT_BROW, LEFT_BROW),
        filled(LIPS, hull=True),
    ]
