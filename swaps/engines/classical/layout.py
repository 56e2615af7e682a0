"""What all steps of one swap know: the grid, both faces on it, and what lies in front of them."""

from dataclasses import dataclass

import numpy as np

from swaps.engines.classical.grid import Grid
from swaps.engines.classical.mask import Regions
from swaps.engines.classical.mesh import LEFT_BROW, LIPS, MOUTH, RIGHT_BROW
from swaps.engines.classical.types import Landmarks, Mask
from swaps.engines.classical.warp import Maps


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The geometry of one swap; ``goal`` and ``target`` are landmarks in pixels of the picture."""

    grid: Grid
    goal: Landmarks
    target: Landmarks
    maps: Maps
    parts: Regions
    smile_gap: float  # `geometry.smile_gap` of source and target

    def lips_mask(self, landmarks: Landmarks) -> Mask:
        """Return a mask of the lips without the opening between them."""
        lips, mouth = (self.grid.hull_mask(landmarks[ring]) for ring in (LIPS, MOUTH))
        return lips * (1 - mouth)

    def brows_mask(self, landmarks: Landmarks, grow: float = 0.0) -> Mask:
        """Return a mask of both brows, widened by ``grow`` of the face."""
        right, left = (
            self.grid.hull_mask(landmarks[ring], grow) for ring in (RIGHT_BROW, LEFT_BROW)
        )
        return np.maximum(right, left)
