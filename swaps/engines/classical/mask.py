"""Which pixels of the result are the source's: inside the silhouette, where both show skin."""

from dataclasses import dataclass

import cv2
import numpy as np

from swaps.engines.classical.filters import blur, disc, smooth
from swaps.engines.classical.grid import Grid
from swaps.engines.classical.mesh import FEATURES
from swaps.engines.classical.skin import Skin
from swaps.engines.classical.types import Floats, Landmarks, Mask
from swaps.engines.classical.warp import Maps

_RIM_START, _RIM_END = 0.012, 0.102  # of the face: the feather of the mask
_FEW = 50  # cells


@dataclass(frozen=True, kw_only=True)
class Regions:
    """Parts of the face on the grid."""

    distance: Floats  # to the silhouette, cells
    base: Mask  # the silhouette, feathered
    features: Mask  # eyes, brows and lips of the goal or of the target
    inner: Mask  # clear of the rim
    core: Mask  # plain skin for measuring colours: cheeks, nose, chin


@dataclass(frozen=True, kw_only=True)
class Skins:
    """How probably each cell of the warped source and of the target is skin, 0…1."""

    source: Mask
    source_perhaps: Mask  # the same, judged mildly
    target: Mask
    target_perhaps: Mask


def regions(grid: Grid, maps: Maps, goal: Landmarks, target: Landmarks, inside: Mask) -> Regions:
    """``inside``: 1 where a cell lies within both pictures."""
    silhouette = maps.silhouette.astype(np.uint8)
    padded = cv2.copyMakeBorder(silhouette, 1, 1, 1, 1, cv2.BORDER_CONSTANT)
    distance = np.asarray(cv2.distanceTransform(padded, cv2.DIST_L2, 5)[1:-1, 1:-1], np.float32)
    features = np.maximum(_features(grid, goal), _features(grid, target))
    inner = (distance > 0.03 * grid.face) * inside
    deep = (distance > 0.12 * grid.face) * inner
    core = deep * (1 - features) * (1 - smooth(maps.upper, 0.05, 0.3))
    return Regions(
        distance=distance,
        base=smooth(distance, _RIM_START * grid.face, _RIM_END * grid.face),
        features=features,
        inner=inner,
        core=core if core.sum() >= _FEW else np.maximum(inner, np.float32(1e-3)),
    )


def _features(grid: Grid, landmarks: Landmarks) -> Mask:
    mask = np.zeros(grid.shape, np.float32)
    for ring in FEATURES:
        hull = cv2.convexHull(landmarks[ring, :2])[:, 0]
        mask = np.maximum(mask, grid.polygon(np.asarray(hull)))
    return np.asarray(cv2.dilate(mask, disc(0.012 * grid.face)), np.float32)


def skins(source: Floats, target: Floats, core: Mask) -> Skins:
    """``source`` (warped) and ``target`` in Lab, on the grid."""
    source_skin, target_skin = Skin(source, core), Skin(target, core)
    return Skins(
        source=source_skin.surely(source),
        source_perhaps=source_skin.possibly(source),
        target=target_skin.surely(target),
        target_perhaps=target_skin.possibly(target),
    )


def face_mask(grid: Grid, maps: Maps, parts: Regions, skin: Skins) -> Mask:
    """1 where the source's face shall be seen, on the grid."""
    both = np.maximum(np.minimum(skin.target, skin.source), parts.features)
    mask = parts.base * (1 - smooth(maps.upper, 0.15, 0.7) * (1 - _close(grid, both)))
    mask = mask * _clear_of_fringe(grid, maps, parts, skin.source)

    # At the rim hair of either picture stops the mask; below the jaw only the source's does,
    # since the target's beard or shadow there may well be covered.
    rim = 1 - smooth(parts.distance, 0.13 * grid.face, 0.26 * grid.face)
    gaps_closed = cv2.morphologyEx(skin.target_perhaps, cv2.MORPH_CLOSE, disc(0.03 * grid.face))
    of_target = np.maximum(np.asarray(gaps_closed, np.float32), parts.features)
    of_source = np.maximum(skin.source_perhaps, parts.features)
    free = np.minimum(of_source, np.maximum(of_target, 1 - maps.above_jaw))
    return np.asarray(mask * (1 - rim * (1 - _close(grid, free))), np.float32)


def _clear_of_fringe(grid: Grid, maps: Maps, parts: Regions, sure: Mask) -> Mask:
    """Hair on the source's forehead: the target keeps its own forehead."""
    forehead = (
        (maps.upper > 0.5) & (parts.distance > 0.04 * grid.face) & (parts.features < 0.3)
    ) * parts.inner
    if forehead.sum() <= 30:
        return np.ones(grid.shape, np.float32)
    covered = 1 - (sure * forehead).sum(keepdims=True) / forehead.sum()
    fringe = smooth(covered, 0.10, 0.24) * smooth(maps.upper, 0.10, 0.75)
    # A few strands: hand over half-way up.
    strands = smooth(covered, 0.012, 0.05) * smooth(maps.height, 0.30, 0.70)
    return (1 - fringe) * (1 - strands)


def _close(grid: Grid, probability: Mask) -> Mask:
    """Grow what is not skin a little, and soften it."""
    eroded = np.asarray(cv2.erode(probability, disc(0.014 * grid.face)), np.float32)
    return blur(eroded, max(0.8, 0.016 * grid.face))
