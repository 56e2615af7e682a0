"""Finds what lies in front of both faces: the target's things stay, the source's never come along.

Where there are glasses or a beard, all the skin around counts, not only what the network has
found: frames and hairs are never found to the last, and the bare skin between them tells no person.
A beard counts when it is large enough: a small dark spot is the shadow under a nose.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from swaps.engines.classical.filters import blur, disc, luma, smooth
from swaps.engines.classical.frames import EYES, complete_frame
from swaps.engines.classical.grid import Grid
from swaps.engines.classical.layout import Layout
from swaps.engines.classical.light import blur_within
from swaps.engines.classical.mesh import (
    LEFT_BROW,
    LEFT_EYE,
    LIPS,
    NOSE_TIP,
    RIGHT_BROW,
    RIGHT_EYE,
)
from swaps.engines.classical.parse import BEARD, GLASSES, OTHER, Parse
from swaps.engines.classical.types import AnyArray, Floats, Landmarks, Mask, Picture

_LIP_EDGE = 0.012  # of the face
_GAP = 0.03  # of the face: narrower gaps between strands are hair, too
_GUIDED_RADIUS, _GUIDED_EPSILON = 0.014, 4e-4  # of the face; of squared luma 0…1


@dataclass(frozen=True, kw_only=True)
class Front:
    """What lies in front of the faces, 0…1 on the grid."""

    hole: Mask  # where hair or a hand hides the source: filled from the source itself
    mirror_hole: Mask  # the same of its mirror image
    replaced: Mask  # glasses, beard and hidden brows of the source: the target's own face is seen
    keep: Mask  # where the target's things are to be seen
    eyes_hidden: float  # 0…1, how surely one of the source's eyes is behind a dark lens


def find_front(
    source: Parse, target: Parse, layout: Layout, *, source_lab: Floats, target_lab: Floats
) -> Front:
    """Return what lies in front of both faces, from their parses and colours (Lab on the grid)."""
    grid, maps, parts = layout.grid, layout.maps, layout.parts
    own, mirrored = source.at(maps.direct), source.at(maps.mirrored)
    # The half that was filled with its mirror image shows what lies there.
    own = own + (mirrored - own) * maps.mirror[..., None]
    there = target.at(_positions(grid))
    there_mirrored = target.at(maps.own_mirrored)

    frame = complete_frame(
        own[..., GLASSES], mirrored[..., GLASSES], source_lab[..., 0], source.glasses, layout
    )
    own_frame = complete_frame(
        there[..., GLASSES],
        there_mirrored[..., GLASSES],
        target_lab[..., 0],
        target.glasses,
        layout,
    )
    other = _whole_strands(own[..., OTHER], source_lab, layout)
    hole, mirror_hole = _source_hole(other, layout), _source_hole(mirrored[..., OTHER], layout)

    around_eyes = _around_eyes(layout)
    eyes_hidden = _hidden_share(frame, layout.goal, grid)
    # A brow that its mirror image shows is filled; under a frame that would bring the frame.
    hair = hole if source.glasses > 0.5 else np.minimum(hole, mirror_hole)
    covered = np.maximum(hair, smooth(frame, 0.15, 0.5))
    replaced = np.maximum.reduce([
        around_eyes * np.float32(source.glasses),
        _beard_region(own[..., BEARD], layout, layout.goal),
        _eyes_with_lids(layout) * eyes_hidden,
        _hidden_brows(covered, layout, source.glasses),
    ])  # fmt: skip

    own_eyes = np.maximum(*(grid.hull_mask(layout.target[ring], 0.01) for ring in EYES))
    lens = _hidden_share(own_frame, layout.target, grid)
    own_frame = own_frame * (1 - own_eyes * (1 - lens))
    glasses = np.maximum(own_frame, np.float32(target.glasses) * around_eyes)
    things = smooth(np.maximum(there[..., OTHER], glasses), 0.2, 0.75)
    beard = _beard_region(there[..., BEARD], layout, layout.target)
    return Front(
        hole=hole,
        mirror_hole=mirror_hole,
        replaced=np.asarray(replaced * (parts.distance > 0), np.float32),
        keep=np.maximum(things, beard) * (parts.distance > 0),
        eyes_hidden=float(eyes_hidden),
    )


def _around_eyes(layout: Layout) -> Mask:
    """Return the skin that frames can cross, from brows to cheeks, without what tells a person."""
    grid, down = layout.grid, layout.maps.down
    band = smooth(down, -0.38, -0.32) * (1 - smooth(down, 0.06, 0.14))
    eyes = np.maximum(*(grid.hull_mask(layout.goal[ring], 0.025) for ring in EYES))
    brows = (layout.brows_mask(landmarks, 0.012) for landmarks in (layout.goal, layout.target))
    nose = grid.hull_mask(layout.goal[NOSE_TIP], 0.01)
    band *= 1 - np.maximum.reduce([eyes, nose, *brows])
    return blur(np.asarray(band, np.float32), max(0.7, 0.008 * grid.face))


def _eyes_with_lids(layout: Layout) -> Mask:
    grid = layout.grid
    wide = np.maximum(
        *(
            grid.hull_mask(layout.goal[ring], 0.03)
            for ring in (RIGHT_EYE + RIGHT_BROW, LEFT_EYE + LEFT_BROW)
        )
    )
    return blur(wide, max(0.7, 0.012 * grid.face))


def _beard_region(beard: Mask, layout: Layout, landmarks: Landmarks) -> Mask:
    """Return the skin below the nose, without the lips, where there is a beard or a moustache."""
    grid, maps = layout.grid, layout.maps
    aside = np.maximum(np.abs(maps.across) - 0.12, 0)
    lower = smooth(maps.down + 0.45 * aside, 0.075, 0.11)
    # Hairs reach over the edge of the lips.
    inner = np.maximum(grid.hull_mask(landmarks[LIPS]), grid.hull_mask(layout.goal[LIPS]))
    edge = _LIP_EDGE * grid.face
    lips = np.asarray(cv2.erode(inner, disc(edge)), np.float32) if edge >= 1 else inner
    lower = np.asarray(lower * (1 - lips), np.float32)
    above_lips = lower * (np.abs(maps.across) < 0.14) * (maps.down < 0.18)
    moustache = float((beard * above_lips).sum() / max(above_lips.sum(), 1))
    sure = smooth(np.count_nonzero(beard > 0.5) / grid.face**2, 0.05, 0.10)
    lips_covered = float((beard * lips).sum() / max(lips.sum(), 1))
    if sure * lips_covered > 0.3:  # a moustache over the mouth: the mouth, too
        lower = np.maximum(lower, lips)
    region = np.maximum(lower * sure, above_lips * smooth(moustache, 0.4, 0.6))
    return blur(np.asarray(region, np.float32), max(0.7, 0.008 * grid.face))


@dataclass(frozen=True, kw_only=True)
class Cover:
    """What is in front of the faces, 0…1; the fields are those of `Measures`."""

    filled: float
    kept: float
    eyes_hidden: float


def measure_cover(front: Front, layout: Layout) -> Cover:
    """Return which shares of the face are covered in the source and in the target."""
    face = layout.parts.base
    filled, kept = (
        float((face * np.minimum(mask, 1)).sum() / max(face.sum(), 1))
        for mask in (np.maximum(front.hole, front.replaced), front.keep)
    )
    return Cover(filled=filled, kept=kept, eyes_hidden=front.eyes_hidden)


def _positions(grid: Grid) -> Floats:
    """Return the centre of every cell, in pixels of the region (H×W×2)."""
    x, y = grid.coordinates()
    return np.stack([x, y], -1) / np.float32(grid.scale)


def _source_hole(other: Mask, layout: Layout) -> Mask:
    """Widen what was found by its soft edge, and close the gaps in it and towards the rim."""
    grid, parts = layout.grid, layout.parts
    outside = np.asarray(parts.distance <= 0, np.float32)
    gap = disc(_GAP * grid.face)
    joined = cv2.morphologyEx(np.maximum(other, outside), cv2.MORPH_CLOSE, gap)
    of_rim = cv2.morphologyEx(outside, cv2.MORPH_CLOSE, gap)
    closed = np.asarray((joined - of_rim) * (1 - parts.features), np.float32)
    hole = smooth(
        np.asarray(cv2.dilate(np.maximum(other, closed), disc(max(1, 0.01 * grid.face)))), 0.2, 0.6
    )
    hole *= (parts.distance > 0) & (parts.person > 0)
    return blur(np.asarray(hole, np.float32), max(0.7, 0.006 * grid.face))


def _whole_strands(other: Mask, colours: Floats, layout: Layout) -> Mask:
    """Return ``other`` with all that hangs together with it and is darker than the skin around."""
    face, parts = layout.grid.face, layout.parts
    light = colours[..., 0]
    bare = parts.inner * (1 - parts.features) * (1 - other) + np.float32(1e-3)
    around = blur_within(light, np.asarray(bare, np.float32), 0.06 * face)
    darker = smooth((around - light) / np.maximum(around, 8), 0.10, 0.22)
    dark = ((darker > 0.4) & (parts.features < 0.3) & (parts.distance > 0)).astype(np.uint8)
    _, labels = cv2.connectedComponents(dark, connectivity=8)
    seed = np.bincount(labels[(other > 0.4) & (dark > 0)], minlength=labels.max() + 1) > 3
    size = np.bincount(labels.ravel(), minlength=labels.max() + 1) < 0.12 * face**2
    touched = seed & size
    touched[0] = False
    return np.asarray(np.maximum(other, darker * touched[labels].astype(np.float32)), np.float32)


def _hidden_brows(covered: Mask, layout: Layout, glasses: float) -> Mask:
    """Return a soft mask of both brows if hardly anything is seen of one, else zeros.

    Frames that touch a brow cannot be told from it, so less is enough with glasses.
    """
    grid = layout.grid
    brows = [grid.hull_mask(layout.goal[ring]) for ring in (RIGHT_BROW, LEFT_BROW)]
    share = max(float((covered * brow).sum() / max(brow.sum(), 1)) for brow in brows)
    hidden = float(share > (0.2 if glasses > 0.5 else 0.6))  # half of each would be two brows
    wide = layout.brows_mask(layout.goal, 0.02)
    return blur(wide * np.float32(hidden), max(0.7, 0.012 * grid.face))


def _hidden_share(glasses: Mask, landmarks: Landmarks, grid: Grid) -> np.float32:
    """Return 0…1, how surely one of the eyes is behind a dark lens."""
    eyes = [grid.hull_mask(landmarks[ring], 0.02) for ring in EYES]
    hidden = max(float((glasses * eye).sum() / max(eye.sum(), 1)) for eye in eyes)
    return np.float32(smooth(hidden, 0.4, 0.6))


def edge_aware(keep: Mask, region: Picture, grid: Grid) -> Mask | None:
    """Return ``keep`` at the region's resolution, its edges those of the picture; None if empty.

    Guided filter (He et al. 2010), whose coefficients are enlarged.
    """
    if keep.max() < 0.05:
        return None
    picture = luma(region.astype(np.float32)) / np.float32(255)
    guide = grid.downsample(picture)
    side = 2 * max(1, round(_GUIDED_RADIUS * grid.face)) + 1

    def mean(values: AnyArray) -> Floats:
        box = cv2.blur(
            np.asarray(values, np.float32), (side, side), borderType=cv2.BORDER_REPLICATE
        )
        return np.asarray(box, np.float32)

    of_guide, of_keep = mean(guide), mean(keep)
    variance = mean(guide * guide) - of_guide * of_guide
    slope = (mean(guide * keep) - of_guide * of_keep) / (variance + _GUIDED_EPSILON)
    offset = of_keep - slope * of_guide
    alpha = grid.upsample(mean(slope)) * picture + grid.upsample(mean(offset))
    return smooth(np.clip(alpha, 0, 1), 0.12, 0.88)
