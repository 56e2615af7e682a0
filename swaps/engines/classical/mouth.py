"""An open mouth keeps the target's teeth and tongue when the source's mouth is not alike."""

import numpy as np

from swaps.engines.classical.filters import mix
from swaps.engines.classical.grid import Grid
from swaps.engines.classical.mesh import LOWER_LIP, MOUTH, MOUTH_CORNERS, MOUTH_TRIANGLES, UPPER_LIP
from swaps.engines.classical.types import Floats, Landmarks, Picture
from swaps.engines.classical.warp import interpolate, paint, sample

_OPEN = 0.06  # height over width
_ALIKE = (0.6, 1.7)  # openness of the source in that of the target


def openness(landmarks: Landmarks) -> float:
    left, right = MOUTH_CORNERS
    height = float(np.linalg.norm(landmarks[UPPER_LIP] - landmarks[LOWER_LIP]))
    return height / max(float(np.linalg.norm(landmarks[left] - landmarks[right])), 1e-6)


def keeps_own_mouth(source: Landmarks, target: Landmarks) -> bool:
    to = openness(target)
    return to > _OPEN and not _ALIKE[0] < openness(source) / to < _ALIKE[1]


def put_mouth_back(
    face: Floats, region: Picture, grid: Grid, goal: Landmarks, target: Landmarks
) -> Floats:
    """Give ``face`` (H×W×3, 0…255, in place) the inside of the target's mouth."""
    in_region = target[:, :2] - [grid.x, grid.y]
    numbers = paint(grid, goal, MOUTH_TRIANGLES)
    positions = interpolate(grid, goal, MOUTH_TRIANGLES, numbers, in_region)
    x, y = grid.coordinates()
    here = np.stack([x, y], -1) / np.float32(grid.scale)
    positions = np.where(positions[..., :1] < 0, here, positions)
    # Beyond a tenth of the face around the mouth its softened opening is 0.
    reach = 0.1 * grid.face / grid.scale
    corner = goal[MOUTH, :2] - [grid.x, grid.y]
    left, top = np.maximum(corner.min(0) - reach, 0).astype(int)
    right, bottom = np.ceil(corner.max(0) + reach).astype(int)
    part = slice(top, bottom), slice(left, right)
    mouth = sample(region, grid.up(positions)[part], cubic=False)
    face[part] = mix(face[part], mouth, grid.openings(goal, [MOUTH])[part])
    return face
