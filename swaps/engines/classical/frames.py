"""Completes the frames of glasses, of which the network finds thin wires in part only."""

import cv2
import numpy as np

from swaps.engines.classical.filters import blur, disc, smooth
from swaps.engines.classical.layout import Layout
from swaps.engines.classical.mesh import LEFT_EYE, RIGHT_EYE
from swaps.engines.classical.types import Floats, Mask

EYES = (RIGHT_EYE, LEFT_EYE)


def band_of_glasses(layout: Layout) -> Mask:
    """Return 1 where glasses can be: around the eyes, from the brows to the cheeks."""
    down = layout.maps.down
    return np.asarray(smooth(down, -0.40, -0.33) * (1 - smooth(down, 0.12, 0.2)), np.float32)


def complete_frame(glasses: Mask, mirrored: Mask, light: Floats, layout: Layout) -> Mask:
    """Return the frames: where there surely are glasses, weaker signs and thin lines count as well.

    ``glasses`` and ``mirrored`` are the probabilities here and on the face's other side, ``light``
    is L. Lines that hang together with a found piece are frame, too (morphological reconstruction,
    Vincent 1993).
    """
    face, features = layout.grid.face, layout.parts.features
    band = band_of_glasses(layout)
    present = _has_glasses(glasses, layout)
    if present == 0:
        return np.zeros_like(glasses)
    glasses = glasses * band * present
    weak = smooth(glasses, 0.06, 0.35)
    near = smooth(np.maximum(glasses, 0.8 * mirrored), 0.05, 0.3)
    near = np.asarray(cv2.dilate(near, disc(max(1, 0.018 * face))), np.float32) * band
    element = disc(max(1.5, 0.022 * face))
    dark = cv2.morphologyEx(light, cv2.MORPH_CLOSE, element) - light
    around = np.maximum(blur(light, 0.05 * face), 8)
    line = smooth(dark / around, 0.14, 0.32)
    found = np.maximum(weak * (1 - 0.7 * features), line * near * (1 - features))
    return np.asarray(np.maximum(glasses, present * found), np.float32)


def _has_glasses(glasses: Mask, layout: Layout) -> float:
    """Return 0…1, how sure it is that there are glasses: by their bridge, or by dark lenses.

    Eye sockets in shade, which look like lenses, have no bridge and are not as dark all over.
    """
    maps, parts = layout.maps, layout.parts
    bridge = (np.abs(maps.across) < 0.035) & (maps.down > -0.28) & (maps.down < 0.02)
    rows = [glasses[y][bridge[y]].mean() for y in np.flatnonzero(bridge.any(1))]
    eyes = np.maximum(*(layout.grid.hull_mask(layout.goal[ring]) for ring in EYES)) > 0.5
    dark = float(glasses[eyes & (parts.distance > 0)].mean()) if eyes.any() else 0.0
    return max(float(smooth(max(rows, default=0.0), 0.45, 0.65)), float(smooth(dark, 0.40, 0.55)))
