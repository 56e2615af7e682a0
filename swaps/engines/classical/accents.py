"""Keeps lips, brows, eyes and teeth the source's, within what the target's complexion allows.

All three functions change their first argument in place, on the grid.
"""

import numpy as np

from swaps.engines.classical.filters import blur, mix, smooth
from swaps.engines.classical.gaze import EYES, eye_openness
from swaps.engines.classical.layout import Layout
from swaps.engines.classical.mesh import LIPS, MOUTH
from swaps.engines.classical.types import AnyArray, Floats, Landmarks, Mask

_MIN_CELLS = 12
# How much of the lips' lightness and two hues is the target's, and how much more on other skin.
_LIPS, _LIPS_FAR = np.array([0.2, 0.4, 0.5]), np.array([0.1, 0.2, 0.2])
# Lips without lipstick: shares of the skin's lightness and two hues.
_NATURAL_LEAST, _NATURAL_MOST = np.array([-0.30, 0.02, -0.06]), np.array([-0.03, 0.065, 0.03])
_BROW_HUE = 0.8  # how much of the hue of brows is the target's
_WHITE_OFF = 7.0  # L that whites and teeth may be off the target's
_WHITE_PULL = 0.5  # how much of their hue is the target's
# a and b that are natural in whites and teeth
_WHITE_LEAST, _WHITE_MOST = np.array([-1.0, 0.0]), np.array([6.0, 10.0])
_NARROW = 0.20, 0.32  # height over width of eyes that show no white, and of those that do
_NO_TEETH = 45.0  # L: a mouth darker than this shows none


def match_lips(
    tint: Floats, own: Floats, other: Floats, skin: Floats, layout: Layout, *, far: float
) -> None:
    """Bring the lips' share of the skin (tints: ``own``) nearer to the target's (``other``).

    ``skin`` is the tint of the result's skin, ``far`` 0…1 how unlike both complexions are. All are
    H×W×3.
    """
    grid = layout.grid
    here, there = (layout.lips_mask(landmarks) > 0.7 for landmarks in (layout.goal, layout.target))
    if min(np.count_nonzero(here), np.count_nonzero(there)) <= _MIN_CELLS:
        return
    share, limit = np.median(own[here], axis=0), np.median(other[there], axis=0)
    painted = max(_painted(share), _painted(limit))
    limit = np.clip(limit, _NATURAL_LEAST, _NATURAL_MOST)
    wanted = share + (1 - 0.8 * painted) * (_LIPS + _LIPS_FAR * far) * (limit - share)
    wanted[0] = np.clip(wanted[0], min(limit[0], -0.05) - 0.20, max(limit[0], -0.03) + 0.06)
    reddest = 1.6 * max(limit[1], 0.0) + 0.015 + 0.06 * (1 - far)
    if wanted[1] > reddest:  # a paler lipstick is lighter, too
        wanted[0] *= 0.4 + 0.6 * reddest / wanted[1]
    wanted[1] = np.clip(wanted[1], min(0.6 * limit[1], reddest), reddest)
    wanted[2] = np.clip(wanted[2], limit[2] - 0.10, limit[2] + 0.06)
    change = wanted - np.median((tint - skin)[here], axis=0)
    if wanted[0] - change[0] < 0:  # a mouth is told by its lightness more than by its colour
        change[0] *= 0.5
    closed = grid.hull_mask(layout.goal[LIPS], 0.006) * (1 - grid.hull_mask(layout.goal[MOUTH]))
    weight = blur(closed, max(0.8, 0.012 * grid.face))
    tint += weight[..., None] * change.astype(np.float32)
    shine = np.maximum((tint - skin)[..., 0] - 0.05, 0)  # lips of dark faces are often lighter
    tint[..., 0] -= 0.7 * weight * shine


def _painted(share: AnyArray) -> float:
    """Return 0…1, how sure it is that lips wear lipstick, from their share of the skin."""
    return max(float(smooth(share[1], 0.07, 0.10)), float(smooth(-share[0], 0.30, 0.36)))


def match_brows(colours: Floats, target: Floats, darker: Floats, layout: Layout) -> None:
    """Give the hairs of the brows (Lab) the hue of the target's.

    ``darker`` (H×W) is the log f by which the result is darker than its skin.
    """
    there = layout.brows_mask(layout.target) > 0.5
    if np.count_nonzero(there) <= _MIN_CELLS:
        return
    brows = target[there]
    hairs = brows[brows[:, 0] <= np.percentile(brows[:, 0], 40)].mean(0)
    hue = np.clip(hairs[1:] / (hairs[0] + 16), 0, [0.16, 0.22]).astype(np.float32)
    near = blur(layout.brows_mask(layout.goal, 0.02), max(0.6, 0.012 * layout.grid.face))
    wanted = (colours[..., :1] + 16) * hue
    colours[..., 1:] = mix(colours[..., 1:], wanted, _BROW_HUE * smooth(darker, 0.03, 0.22) * near)


def match_whites(
    colours: Floats, source: Floats, target: Floats, layout: Layout, *, skin: float
) -> None:
    """Make whites of the eyes and teeth (Lab) about as light as the target's, or its skin allows.

    ``skin`` is the lightness (L) of the result's skin. The iris keeps the colour that it has in the
    ``source`` (Lab, warped).
    """
    grid = layout.grid
    for ring, is_seen in (*whites_of_eyes(layout.goal), (MOUTH, 1.0)):
        here, there = grid.hull_mask(layout.goal[ring]), grid.hull_mask(layout.target[ring])
        inside = here > 0.6
        if np.count_nonzero(inside) <= _MIN_CELLS:
            continue
        own, before = _lightest(colours[inside]), _lightest(source[inside])
        if ring is MOUTH and before[0] < _NO_TEETH:
            continue
        lightness, hue = 46 + 0.42 * skin, np.array([1.0, 4.0])
        if np.count_nonzero(there > 0.6) > _MIN_CELLS:
            white = _lightest(target[there > 0.6])
            lightness, hue = float(np.clip(white[0], lightness - 14, lightness + 8)), white[1:]
        hue = np.clip(hue, _WHITE_LEAST, _WHITE_MOST)
        lightness = float(np.clip(own[0], lightness - _WHITE_OFF, lightness + _WHITE_OFF))
        part = _around(here)
        part_of = colours[part]
        light = smooth(part_of[..., 0], 0.3 * own[0], 0.85 * own[0])
        change = is_seen * float(np.clip(np.log((lightness + 16) / (own[0] + 16)), -0.35, 0.5))
        wanted = part_of.copy()
        wanted[..., 0] = (wanted[..., 0] + 16) * np.exp(change * (0.35 + 0.65 * light)) - 16
        if ring is not MOUTH:
            cast = 0.5 * (hue - np.clip(before[1:], -8, 8))
            wanted[..., 1:] = source[part][..., 1:] + cast.astype(np.float32)
        pull = (_WHITE_PULL * light)[..., None]
        wanted[..., 1:] += pull * (hue.astype(np.float32) - wanted[..., 1:])
        colours[part] = mix(part_of, wanted, blur(here[part], max(0.7, 0.006 * grid.face)))


def whites_of_eyes(landmarks: Landmarks) -> list[tuple[list[int], float]]:
    """Return the ring of each eye and how much of its white is seen, 0…1: narrow eyes show none."""
    return [
        (ring, float(smooth(eye_openness(landmarks, ring, left, right), *_NARROW)))
        for ring, left, right in EYES
    ]


def _lightest(colours: AnyArray) -> AnyArray:
    """Return the mean of the lightest quarter (n×3, Lab)."""
    lightness = colours[:, 0]
    return np.asarray(colours[lightness >= np.percentile(lightness, 75)].mean(0))


def _around(mask: Mask) -> tuple[slice, slice]:
    """Return the box of a mask with some cells around it."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    top, left = max(rows[0] - 6, 0), max(columns[0] - 6, 0)
    return slice(top, rows[-1] + 7), slice(left, columns[-1] + 7)
