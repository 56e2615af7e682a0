"""Keeps the target's teeth and tongue in an open mouth when the source's mouth is not as open."""

import numpy as np

from swaps.engines.classical.filters import mix
from swaps.engines.classical.grid import Grid
from swaps.engines.classical.mesh import LOWER_LIP, MOUTH, MOUTH_CORNERS, MOUTH_TRIANGLES, UPPER_LIP
from swaps.engines.classical.types import Floats, Landmarks, Picture
from swaps.engines.classical.warp import interpolate, rasterise, sample

_MIN_OPENNESS = 0.06  # height over width
_ALIKE = (0.6, 1.7)  # openness of the source over that of the target


def openness(landmarks: Landmarks) -> float:
    """Return the height of the mouth's opening over its width."""
    left, right = MOUTH_CORNERS
    height = float(np.linalg.norm(landmarks[UPPER_LIP] - landmarks[LOWER_LIP]))
    return height / max(float(np.linalg.norm(landmarks[left] - landmarks[right])), 1e-6)


def is_own_mouth_kept(source: Landmarks, target: Landmarks) -> bool:
    """Return whether the target's mouth is open and the source's is not about as open."""
    to = openness(target)
    return to > _MIN_OPENNESS and not _ALIKE[0] < openness(source) / to < _ALIKE[1]


def restore_mouth(
    face: Floats, region: Picture, grid: Grid, goal: Landmarks, target: Landmarks
) -> Floats:
    """Copy the inside of the target's mouth into ``face`` (H×W×3, 0…255), in place."""
    in_region = target[:, :2] - [grid.x, grid.y]
    numbers = rasterise(grid, goal, MOUTH_TRIANGLES)
    positions = interpolate(grid, goal, MOUTH_TRIANGLES, numbers, in_region)
    x, y = grid.coordinates()
    here = np.stack([x, y], -1) / np.float32(grid.scale)
    positions = np.where(positions[..., :1] < 0, here, positions)
    # Farther than a tenth of the face from the mouth, its softened mask is 0.
    reach = 0.1 * grid.face / grid.scale
    corner = goal[MOUTH, :2] - [grid.x, grid.y]
    left, top = np.maximum(corner.min(0) - reach, 0).astype(int)
    right, bottom = np.ceil(corner.max(0) + reach).astype(int)
    part = slice(top, bottom), slice(left, right)
    mouth = sample(region, grid.upsample(positions)[part], cubic=False)
    face[part] = mix(face[part], mouth, grid.openings_mask(goal, [MOUTH])[part])
    return face
