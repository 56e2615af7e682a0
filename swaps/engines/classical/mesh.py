"""The 468 vertices of MediaPipe Face Mesh (Kartynnik et al.

2019), and the part that each belongs to.

``CANONICAL`` 468×3 is the mean shape seen from the front, face width about 1, x to the right, y
down. Every weight is per vertex, 0…1.
"""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np

from swaps.engines.classical.filters import smooth
from swaps.engines.classical.types import AnyArray, Floats, Ints

_HERE = Path(__file__).parent
CANONICAL = np.load(_HERE / "canon.npy").astype(np.float64)
MIRROR = np.load(_HERE / "sym.npy").astype(np.int64)  # the vertex on the other side

# fmt: off
RIGHT_EYE = [33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246]
LEFT_EYE = [263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466]
MOUTH = [78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191]
LIPS = [61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185]
OVAL = [10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
        152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109]
RIGHT_BROW = [70, 63, 105, 66, 107, 55, 65, 52, 53, 46]
LEFT_BROW = [300, 293, 334, 296, 336, 285, 295, 282, 283, 276]
# fmt: on
FEATURES = [RIGHT_EYE, LEFT_EYE, LIPS, RIGHT_BROW, LEFT_BROW]
# Wings, tip and bridge: where a nose is told by its relief.
NOSE = [129, 358, 2, 1, 4, 5, 98, 327, 195]
NOSE_TIP = NOSE[:-1]  # without the bridge
UPPER_LIP, LOWER_LIP, MOUTH_CORNERS, FOREHEAD_TOP = 13, 14, (78, 308), 10


def _strip(ring: list[int]) -> list[tuple[int, int, int]]:
    """Return triangles that fill a ring, laid across it from corner to corner."""
    half = len(ring) // 2
    lower, upper = ring[: half + 1], [ring[0], *ring[: half - 1 : -1]]
    pairs = list(zip(lower, upper, strict=True))
    triangles = [
        triangle for (a, c), (b, d) in pairwise(pairs) for triangle in ((a, b, c), (b, d, c))
    ]
    return [triangle for triangle in triangles if len(set(triangle)) == 3]


def signed_areas(points: AnyArray, triangles: Ints) -> AnyArray:
    """Return twice the area of each triangle; it is positive when it faces the viewer."""
    a, b, c = (points[triangles[:, i], :2] for i in range(3))
    u, v = b - a, c - a
    return np.asarray(u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0])


def _facing(triangles: list[tuple[int, int, int]]) -> Ints:
    """Return the triangles with their vertices ordered to face the viewer."""
    found = np.array(triangles, np.int32)
    turned = signed_areas(CANONICAL, found) < 0
    found[turned] = found[turned][:, [0, 2, 1]]
    return found


def _distance_to_oval(points: AnyArray) -> AnyArray:
    start = CANONICAL[OVAL, :2]
    edge = np.roll(start, -1, 0) - start
    along = ((points[:, None] - start) * edge).sum(2) / (edge**2).sum(1)
    nearest = start + np.clip(along, 0, 1)[..., None] * edge
    return np.asarray(np.linalg.norm(points[:, None] - nearest, axis=2).min(1))


def _mouth_weight() -> Floats:
    from_centre = CANONICAL[:, :2] - CANONICAL[MOUTH, :2].mean(0)
    return 1 - smooth(np.linalg.norm(from_centre / [1.25, 1], axis=1), 0.20, 0.40)


def _forehead_and_temples() -> Floats:
    x, y = CANONICAL[:, 0], CANONICAL[:, 1]
    forehead = 1 - smooth(y, _BROW_Y - 0.10, _BROW_Y + 0.02)
    temples = (1 - smooth(y, -0.05, 0.15)) * smooth(np.abs(x), 0.36, 0.44)
    return np.asarray(np.maximum(forehead, temples))


def _forehead_height() -> Floats:
    """Return the height of each vertex: 0 at the brows, 1 at the hairline."""
    height = (_BROW_Y - CANONICAL[:, 1]) / (_BROW_Y - CANONICAL[FOREHEAD_TOP, 1])
    return np.asarray(np.clip(height, -0.2, 1.1), np.float32)


_mesh = json.loads((_HERE / "mesh.json").read_text(encoding="utf-8"))
SKIN_TRIANGLES = _facing([tuple(triangle) for triangle in _mesh["tri"]])
TRIANGLES = np.concatenate(
    [SKIN_TRIANGLES, _facing(_strip(RIGHT_EYE) + _strip(LEFT_EYE) + _strip(MOUTH))]
)
_BROW_Y = float(CANONICAL[RIGHT_BROW + LEFT_BROW, 1].mean())
_to_oval = _distance_to_oval(CANONICAL[:, :2])
INNER = smooth(_to_oval, 0.02, 0.20)
AROUND_MOUTH = _mouth_weight()
FOREHEAD_AND_TEMPLES = _forehead_and_temples()
FOREHEAD_HEIGHT = _forehead_height()
ABOVE_JAW = 1 - smooth(CANONICAL[:, 1], 0.10, 0.30)
# Vertices that do not move when a face speaks; the pose is estimated from them.
RIGID = np.flatnonzero((AROUND_MOUTH < 0.05) & (CANONICAL[:, 1] < 0.25) & (_to_oval > 0.02))
