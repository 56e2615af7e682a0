"""Computes the mask of source pixels: the inner face, where both pictures show skin."""

from dataclasses import dataclass

import cv2
import numpy as np

from swaps.engines.classical.filters import blur, disc, smooth
from swaps.engines.classical.grid import Grid
from swaps.engines.classical.mesh import FEATURES, NOSE
from swaps.engines.classical.skin import Skin
from swaps.engines.classical.types import Floats, Landmarks, Mask
from swaps.engines.classical.warp import Maps

_RIM_START, _RIM_END = 0.012, 0.060  # of the face: the feather of the mask
_INNER_START, _INNER_END = 0.04, 0.18  # of the face: the fade around what tells a person
_MIN_CELLS = 50  # cells


@dataclass(frozen=True, kw_only=True)
class Regions:
    """Parts of the face, on the grid."""

    distance: Floats  # to the silhouette, in cells
    base: Mask  # the silhouette, feathered
    features: Mask  # eyes, brows and lips of the goal or of the target
    inner: Mask  # without the rim
    core: Mask  # cheeks, nose, chin: where skin colour is measured
    person: Mask  # eyes, brows, nose, mouth and what is between them, fading out around


@dataclass(frozen=True, kw_only=True)
class Skins:
    """The probability, 0…1, that a cell of the warped source and of the target is skin."""

    source: Mask
    source_lenient: Mask  # allowing for shading
    target: Mask
    target_lenient: Mask


def regions(grid: Grid, maps: Maps, goal: Landmarks, target: Landmarks, inside: Mask) -> Regions:
    """Return the parts of the face; ``inside`` is 1 where a cell lies within both pictures."""
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
        core=core if core.sum() >= _MIN_CELLS else np.maximum(inner, np.float32(1e-3)),
        person=_person(grid, goal, target),
    )


def _features(grid: Grid, landmarks: Landmarks) -> Mask:
    mask = np.zeros(grid.shape, np.float32)
    for ring in FEATURES:
        hull = cv2.convexHull(landmarks[ring, :2])[:, 0]
        mask = np.maximum(mask, grid.polygon_mask(np.asarray(hull)))
    return np.asarray(cv2.dilate(mask, disc(0.012 * grid.face)), np.float32)


def _person(grid: Grid, goal: Landmarks, target: Landmarks) -> Mask:
    """Return 1 at eyes, brows, nose and mouth and between them, fading out around.

    Forehead, temples and jaw tell a person little, and there hair, hats and beards of the source
    would come along and those of the target be cut.
    """
    inner = [i for ring in [*FEATURES, NOSE] for i in ring]
    hull = grid.hull_mask(np.concatenate([goal[inner], target[inner]]))
    outside = cv2.distanceTransform((hull < 0.5).astype(np.uint8), cv2.DIST_L2, 3)
    start, end = _INNER_START * grid.face, _INNER_END * grid.face
    return 1 - smooth(np.asarray(outside, np.float32), start, end)


def core_without(core: Mask, things: Mask) -> Mask:
    """Return the core without things that are no skin, or all of it if too little is left."""
    bare = core * (things < 0.3)
    return bare if np.count_nonzero(bare) >= 4 * _MIN_CELLS else core


def skins(source: Floats, target: Floats, source_core: Mask, target_core: Mask) -> Skins:
    """Return the skin probabilities of ``source`` (warped) and ``target``, both Lab on the grid.

    The skin colour of each is learnt from its core.
    """
    source_skin, target_skin = Skin(source, source_core), Skin(target, target_core)
    return Skins(
        source=source_skin.strict_probability(source),
        source_lenient=source_skin.lenient_probability(source),
        target=target_skin.strict_probability(target),
        target_lenient=target_skin.lenient_probability(target),
    )


def face_mask(grid: Grid, maps: Maps, parts: Regions, skin: Skins, replaced: Mask) -> Mask:
    """Return the mask, on the grid: 1 where the swapped face is to be seen.

    ``replaced`` (0…1) is where the target's own face comes instead of the source's glasses or
    beard, which are no skin.
    """
    both = np.maximum(np.minimum(skin.target, skin.source), parts.features)
    mask = parts.base * (1 - smooth(maps.upper, 0.15, 0.7) * (1 - _shrunk_and_softened(grid, both)))
    mask = mask * _without_fringe(grid, maps, parts, skin.source)

    # Hair of either picture ends the mask at the rim; below the jaw only the source's does, since
    # there may be a shadow in the target.
    rim = 1 - smooth(parts.distance, 0.13 * grid.face, 0.26 * grid.face)
    gaps_closed = cv2.morphologyEx(skin.target_lenient, cv2.MORPH_CLOSE, disc(0.03 * grid.face))
    of_target = np.maximum(np.asarray(gaps_closed, np.float32), parts.features)
    of_source = np.maximum(np.maximum(skin.source_lenient, replaced), parts.features)
    free = np.minimum(of_source, np.maximum(of_target, 1 - maps.above_jaw))
    mask = mask * (1 - rim * (1 - _shrunk_and_softened(grid, free)))
    return np.asarray(mask * parts.person, np.float32)


def _without_fringe(grid: Grid, maps: Maps, parts: Regions, sure: Mask) -> Mask:
    """Return 0 where hair covers the source's forehead, so that the target keeps its own there."""
    forehead = (
        (maps.upper > 0.5) & (parts.distance > 0.04 * grid.face) & (parts.features < 0.3)
    ) * parts.inner
    if forehead.sum() <= 30:
        return np.ones(grid.shape, np.float32)
    covered = 1 - (sure * forehead).sum(keepdims=True) / forehead.sum()
    fringe = smooth(covered, 0.10, 0.24) * smooth(maps.upper, 0.10, 0.75)
    # For a few strands: fade out half-way up the forehead.
    strands = smooth(covered, 0.012, 0.05) * smooth(maps.height, 0.30, 0.70)
    return (1 - fringe) * (1 - strands)


def _shrunk_and_softened(grid: Grid, probability: Mask) -> Mask:
    """Erode a skin probability a little, and blur it."""
    eroded = np.asarray(cv2.erode(probability, disc(0.014 * grid.face)), np.float32)
    return blur(eroded, max(0.8, 0.016 * grid.face))
