"""Fills the half of the face that a turned source hides with the mirror image of the other half."""

import cv2
import numpy as np

from swaps.engines.classical.filters import blur, lab, mix, smooth
from swaps.engines.classical.grid import Grid
from swaps.engines.classical.light import unlit
from swaps.engines.classical.mask import Regions
from swaps.engines.classical.skin import Skin
from swaps.engines.classical.types import Floats, Mask
from swaps.engines.classical.warp import Maps, SourceCrop, sample


def fill_hidden_half(
    warped: Floats, crop: SourceCrop, grid: Grid, maps: Maps, parts: Regions
) -> Floats:
    """Return ``warped`` (H×W×3, 0…255) with hidden parts replaced by their mirror image."""
    weight = _mirror_weight(warped, crop, grid, maps, parts)
    if weight.max() <= 0.02:
        return warped
    mirrored = sample(crop.picture, grid.upsample(maps.mirrored), cubic=crop.scale > 1)
    return mix(warped, mirrored, grid.upsample(weight))


def _mirror_weight(
    warped: Floats, crop: SourceCrop, grid: Grid, maps: Maps, parts: Regions
) -> Mask:
    """Return how much of the mirror image to take in each cell, 0…1."""
    direct = lab(grid.downsample(warped))
    other = lab(sample(crop.picture, maps.mirrored, cubic=False))
    skin = Skin(direct, parts.core)
    # At the rim, also where this side shows hair or background and the other side skin.
    other_is_skin = 1 - smooth(skin.distance(other), 3.4, 5.5)
    gain = blur(other_is_skin - skin.lenient_probability(direct), grid.radius(0.01))
    rim = 1 - smooth(parts.distance, 0.15 * grid.face, 0.28 * grid.face)
    better = smooth(gain, 0.15, 0.6) * rim * smooth(maps.mirror_visible, 0.2, 0.6)
    weight = np.maximum(maps.mirror, better)
    weight = np.maximum(weight, unlit(direct, other, grid, maps, parts))
    times = max(1, int(0.008 * grid.face))
    grown = cv2.dilate(weight, np.ones((3, 3), np.uint8), iterations=times)
    return blur(np.asarray(grown, np.float32), grid.radius(0.02))
