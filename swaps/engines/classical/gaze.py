"""Makes the result look where the target looks, by moving the source's irises inside its eyes."""

import numpy as np

from swaps.engines.classical.filters import blur, smooth
from swaps.engines.classical.grid import Grid
from swaps.engines.classical.mesh import LEFT_EYE, RIGHT_EYE
from swaps.engines.classical.types import AnyArray, Face, Floats, Landmarks

EYES = ((RIGHT_EYE, 33, 133), (LEFT_EYE, 362, 263))  # ring and corners, left to right
_MIN_OPENNESS = 0.16  # height over width: in a more closed eye the iris is a guess
_MAX_SHIFT = 0.12  # eye widths: further, the iris would leave the visible white
_MIN_SHIFT = 0.015


def follow_gaze(direct: Floats, grid: Grid, goal: Landmarks, source: Face, target: Face) -> Floats:
    """Return ``direct`` (H×W×2, source pixels) shifted within the eyes.

    Faces in their own pixels.
    """
    moved = direct.copy()
    for side, (ring, left, right) in enumerate(EYES):
        if (
            min(eye_openness(f.landmarks, ring, left, right) for f in (source, target))
            < _MIN_OPENNESS
        ):
            continue
        to = _eye_coordinates(target.irises[side], target.landmarks, left, right)
        now = _eye_coordinates(source.irises[side], source.landmarks, left, right)
        # Lids cover the iris, so vertical positions are unreliable and count half.
        shift = np.clip(to - now, -_MAX_SHIFT, _MAX_SHIFT) * [1, 0.5]
        if np.abs(shift).max() < _MIN_SHIFT:
            continue
        along = (source.landmarks[right] - source.landmarks[left])[:2]
        across = np.array([-along[1], along[0]])
        weight = _iris_weight(grid, goal, ring, (left, right), float(to[0]))
        moved -= weight[..., None] * (along * shift[0] + across * shift[1]).astype(np.float32)
    return moved


def eye_openness(landmarks: Landmarks, ring: list[int], left: int, right: int) -> float:
    """Return the height of an eye over its width, from its ring and corners."""
    height = float(np.linalg.norm(landmarks[ring[4], :2] - landmarks[ring[12], :2]))
    return height / max(float(np.linalg.norm(landmarks[left, :2] - landmarks[right, :2])), 1e-6)


def _eye_coordinates(point: AnyArray, landmarks: Landmarks, left: int, right: int) -> AnyArray:
    """Return a point's position along and across the line of the corners, in eye widths.

    The origin is in the middle between the corners.
    """
    along = (landmarks[right] - landmarks[left])[:2].astype(np.float64)
    width = max(float(np.linalg.norm(along)), 1e-6)
    along /= width
    offset = point - (landmarks[left, :2] + landmarks[right, :2]) / 2
    return np.array([offset @ along, offset @ [-along[1], along[0]]]) / width


def _iris_weight(
    grid: Grid, goal: Landmarks, ring: list[int], corners: tuple[int, int], along: float
) -> Floats:
    """Return 1 at the iris, fading to 0 at the lids and corners, which must not move."""
    a, b = grid.to_cells(goal[list(corners)])
    width = max(float(np.linalg.norm(b - a)), 1.0)
    centre = (a + b) / 2 + (b - a) * along
    x, y = grid.coordinates()
    distance = np.hypot(x - 0.5 - centre[0], y - 0.5 - centre[1]) / width
    opening = blur(grid.polygon_mask(goal[ring]), max(0.5, 0.03 * width))
    return (1 - smooth(distance, 0.22, 0.48)) * opening
