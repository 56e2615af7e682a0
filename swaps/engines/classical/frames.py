"""Tells whether a face wears glasses, and completes their frames.

The network finds thin wires in part only.
"""

import cv2
import numpy as np

from swaps.engines.classical.filters import blur, disc, smooth
from swaps.engines.classical.layout import Layout
from swaps.engines.classical.mesh import LEFT_EYE, RIGHT_EYE
from swaps.engines.classical.square import Maps
from swaps.engines.classical.types import AnyArray, Floats, Mask

EYES = (RIGHT_EYE, LEFT_EYE)


def _band_of_glasses(layout: Layout) -> Mask:
    """Return 1 where glasses can be: around the eyes, from the brows to the cheeks."""
    down = layout.maps.down
    return np.asarray(smooth(down, -0.40, -0.33) * (1 - smooth(down, 0.12, 0.2)), np.float32)


def complete_frame(
    glasses: Mask, mirrored: Mask, light: Floats, present: float, layout: Layout
) -> Mask:
    """Return the frames: where there surely are glasses, weaker signs and thin lines count as well.

    ``glasses`` and ``mirrored`` are the probabilities here and on the face's other side, ``light``
    is L, and ``present``, 0…1, how sure the glasses are. Lines that hang together with a found
    piece are frame, too (morphological reconstruction, Vincent 1993).
    """
    if present == 0:
        return np.zeros_like(glasses)
    face, features = layout.grid.face, layout.parts.features
    band = _band_of_glasses(layout)
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


def sureness_of_glasses(glasses: Mask, light: Floats, mesh: Maps, yaw: float) -> float:
    """Return 0…1, how sure it is that a face wears glasses.

    ``glasses`` is the network's probability and ``light`` is L, both in the square of ``mesh``.
    Dark lenses are told by the eyes, frames by their bridge: what the network sees of it, and a
    thin dark line from side to side, with lines (dark or light) below the eyes. Eye sockets in
    shade, which look like lenses, have no bridge and are not as dark all over.
    """
    across, down = mesh.canonical[..., 0], mesh.canonical[..., 1]
    face = mesh.hull > 0.5
    bridge = (np.abs(across) < 0.035) & (down > -0.28) & (down < 0.02)
    rows = [glasses[y][bridge[y]].mean() for y in np.flatnonzero(bridge.any(1))]
    seen = max(rows, default=0.0)
    eyes = (mesh.eyes > 0.5) & face
    dark = float(glasses[eyes].mean()) if eyes.any() else 0.0
    sure = max(float(smooth(seen, 0.45, 0.65)), float(smooth(dark, 0.40, 0.55)))
    around = np.maximum(blur(light, 6.6), 8)
    element = disc(3)
    dark_line = np.asarray(
        (cv2.morphologyEx(light, cv2.MORPH_CLOSE, element) - light) / around, np.float32
    )
    light_line = 0.7 * (light - cv2.morphologyEx(light, cv2.MORPH_OPEN, element)) / around
    line = np.asarray(np.maximum(dark_line, light_line), np.float32)
    over_nose = min(
        _strongest(dark_line, (np.abs(across - x) < 0.012) & (down > -0.26) & (down < 0))
        for x in np.linspace(-0.05, 0.05, 7)
    )
    features = cv2.dilate(np.maximum(mesh.eyes, mesh.brows), np.ones((5, 5), np.uint8)) > 0.3
    cheek = (down > -0.10) & (down < 0.16) & face & ~features
    columns = np.concatenate([np.linspace(-0.32, -0.14, 8), np.linspace(0.14, 0.32, 8)])
    below = [_strongest(line, cheek & (np.abs(across - x) < 0.014)) for x in columns]
    lines = min(over_nose / 0.3, 1.0) + min(float(np.percentile(below, 40)) / 0.6, 1.0)
    evidence = seen + lines * (1 - float(smooth(abs(yaw), 35, 45)))
    return max(sure, float(smooth(evidence, 1.3, 1.55)))


def _strongest(line: Floats, where: AnyArray) -> float:
    return float(line[where].max()) if np.count_nonzero(where) > 3 else 0.0
