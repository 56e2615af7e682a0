"""Fills what is hidden of the source's face.

Under hair or a hand comes its mirrored half, then its own skin around; under glasses and a beard
the target's own face.
"""

import cv2
import numpy as np

from swaps.engines.classical.filters import blur, enlarge, mix, shrink, smooth
from swaps.engines.classical.front import Front
from swaps.engines.classical.layout import Layout
from swaps.engines.classical.types import Floats, Mask, Picture
from swaps.engines.classical.warp import SourceCrop, sample


def fill_holes(face: Floats, crop: SourceCrop, front: Front, layout: Layout) -> Floats:
    """Return the warped face (H×W×3, 0…255) with its holes filled."""
    if front.hole.max() < 0.05:
        return face
    grid, maps, parts = layout.grid, layout.maps, layout.parts
    known = np.asarray((front.hole < 0.03) & (parts.distance > 0.01 * grid.face), np.float32)
    known = np.asarray(cv2.erode(known, np.ones((3, 3), np.uint8)), np.float32)
    little = np.float32(1e-5) * (parts.distance > 0)

    coarse = grid.downsample(face)
    mirrored = sample(crop.picture, maps.mirrored, cubic=False)
    free = 1 - smooth(front.mirror_hole, 0.05, 0.3)
    free *= smooth(maps.mirror_visible, 0.2, 0.6) * (1 - maps.mirror)
    both = known * free
    if both.sum() > 0.2 * known.sum():
        ratio = _ratio(coarse, mirrored, both + little, grid.face)
        weight = grid.upsample(front.hole * free)
        other = sample(crop.picture, grid.upsample(maps.mirrored), cubic=crop.scale > 1)
        face = mix(face, other * grid.upsample(ratio), weight)
        coarse = mix(coarse, mirrored * ratio, front.hole * free)
    else:
        free = np.zeros_like(free)
    rest = np.asarray(front.hole * (1 - free), np.float32)
    if rest.max() > 0.05:
        seen = np.maximum(known, smooth(front.hole * free, 0.6, 0.9))
        # Brows are filled from what is seen of them, skin from skin.
        plain = push_pull(coarse, seen * (1 - 0.95 * parts.features) + little)
        hairs = push_pull(coarse, seen * parts.features + little)
        plain = mix(plain, hairs, parts.features * _known_share(seen, parts.features, grid.face))
        face = mix(face, grid.upsample(blur(plain, 0.005 * grid.face)), grid.upsample(rest))
    return face


def _known_share(seen: Mask, features: Mask, face: float) -> Mask:
    """Return 0…1, how much of the features around is seen."""
    around = blur(features, 0.03 * face)
    return smooth(blur(seen * features, 0.03 * face) / np.maximum(around, 1e-3), 0.15, 0.4)


def with_own_face(face: Floats, region: Picture, weight: Mask, layout: Layout) -> Floats:
    """Put the target's own face, moved to the goal's shape, where the weight (grid) is 1."""
    if weight.max() < 0.05:
        return face
    own = sample(region, layout.grid.upsample(layout.maps.own), cubic=False)
    return mix(face, own, layout.grid.upsample(weight))


def _ratio(wanted: Floats, own: Floats, known: Mask, face: float) -> Floats:
    """Return the smooth factor (H×W×3) by which ``own`` joins ``wanted`` where that is known.

    Light is a factor, so a membrane of logarithms keeps the contrast of what is put in.
    """
    logs = np.log((wanted + 8) / (own + 8))
    smoothed = blur(push_pull(logs, known), 0.01 * face)
    return np.asarray(np.exp(np.clip(smoothed, -1.5, 1.5)), np.float32)


def push_pull(values: Floats, weights: Mask) -> Floats:
    """Return values (H×W×n) that are smooth where the weight (H×W) is 0 (Gortler et al. 1996).

    They are averages of ever coarser pixels; one known pixel in four is enough.
    """
    known = np.asarray(weights, np.float32)
    levels = [(np.asarray(values * known[..., None], np.float32), known)]
    while min(levels[-1][1].shape) > 2:
        rows, columns = ((side + 1) // 2 for side in levels[-1][1].shape)
        v, w = (shrink(plane, columns, rows) for plane in levels[-1])
        full = np.minimum(w * 4, 1) / np.maximum(w, np.float32(1e-9))
        levels.append((np.asarray(v * full[..., None], np.float32), np.asarray(w * full)))
    v, w = levels.pop()
    filled = np.asarray(v / np.maximum(w, np.float32(1e-9))[..., None], np.float32)
    for v, w in reversed(levels):
        below = enlarge(filled, w.shape[1], w.shape[0])
        filled = np.asarray(v + below * np.maximum(1 - w, 0)[..., None], np.float32)
    return filled
