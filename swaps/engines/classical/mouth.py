"""Keeps the target's teeth and tongue where the source's mouth is not as open, or duller."""

import numpy as np

from swaps.engines.classical.filters import blur, lab
from swaps.engines.classical.layout import Layout
from swaps.engines.classical.mesh import LOWER_LIP, MOUTH, MOUTH_CORNERS, UPPER_LIP
from swaps.engines.classical.types import Floats, Landmarks, Mask, Picture

_MIN_OPENNESS = 0.06  # height over width
_MIN_CELLS = 12
_INNER_LIPS = 0.008  # of the face
_DULLER, _TEETH = 10.0, 45.0  # L; what is darker than that shows no teeth
_ALIKE = (0.6, 1.7)  # openness of the source over that of the target


def openness(landmarks: Landmarks) -> float:
    """Return the height of the mouth's opening over its width."""
    left, right = MOUTH_CORNERS
    height = float(np.linalg.norm(landmarks[UPPER_LIP] - landmarks[LOWER_LIP]))
    return height / max(float(np.linalg.norm(landmarks[left] - landmarks[right])), 1e-6)


def is_openness_unlike(source: Landmarks, target: Landmarks) -> bool:
    """Return whether the target's mouth is open and the source's is not about as open."""
    to = openness(target)
    return to > _MIN_OPENNESS and not _ALIKE[0] < openness(source) / to < _ALIKE[1]


def has_duller_teeth(face: Floats, region: Picture, layout: Layout) -> bool:
    """Return whether the target shows teeth, and they are much lighter than what the source has.

    ``face`` (H×W×3, 0…255) is the warped face in the target's tone.
    """
    grid = layout.grid
    lightness = []
    for picture, landmarks in ((face, layout.goal), (region, layout.target)):
        inside = grid.hull_mask(landmarks[MOUTH]) > 0.6
        if np.count_nonzero(inside) <= _MIN_CELLS:
            return False
        values = lab(grid.downsample(picture))[..., 0][inside]
        lightness.append(float(values[values >= np.percentile(values, 75)].mean()))
    own, teeth = lightness
    return teeth > _TEETH and teeth - own > _DULLER


def mouth_mask(layout: Layout) -> Mask:
    """Return a soft mask (on the grid) of the mouth's opening and the inner edge of the lips.

    Lips that were shut have their dark line there.
    """
    grid = layout.grid
    return blur(grid.hull_mask(layout.goal[MOUTH], _INNER_LIPS), max(0.7, 0.006 * grid.face))
