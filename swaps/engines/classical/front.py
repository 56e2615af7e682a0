"""Finds what lies in front of both faces: the target's things stay, the source's never come along.

Frames of glasses are completed along connected lines, since the network finds thin wires in part
only. A beard counts when it is large enough: a small dark spot is the shadow under a nose.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from swaps.engines.classical.filters import blur, disc, luma, smooth
from swaps.engines.classical.frames import EYES, band_of_glasses, complete_frame
from swaps.engines.classical.grid import Grid
from swaps.engines.classical.layout import Layout
from swaps.engines.classical.light import blur_within
from swaps.engines.classical.mesh import LEFT_BROW, LEFT_EYE, LIPS, RIGHT_BROW, RIGHT_EYE
from swaps.engines.classical.parse import BEARD, GLASSES, OTHER, Parse
from swaps.engines.classical.types import AnyArray, Floats, Landmarks, Mask, Picture

_GUIDED_RADIUS, _GUIDED_EPSILON = 0.014, 4e-4  # of the face; of squared luma 0…1


@dataclass(frozen=True, kw_only=True)
class Front:
    """What lies in front of the faces, 0…1 on the grid."""

    hole: Mask  # where the source's own face is hidden by its glasses, hair or hand
    mirror_hole: Mask  # the same of its mirror image
    hidden: Mask  # eyes behind dark lenses, and brows, of which nothing is seen in the source
    source_beard: Mask
    target_beard: Mask
    keep: Mask  # where the target's things are to be seen


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

    frame = complete_frame(own[..., GLASSES], mirrored[..., GLASSES], source_lab[..., 0], layout)
    own_frame = complete_frame(
        there[..., GLASSES], there_mirrored[..., GLASSES], target_lab[..., 0], layout
    )
    other = _whole_strands(own[..., OTHER], source_lab, layout)
    # A false alarm costs little here, since the hole is filled from the source's own skin.
    band = band_of_glasses(layout)
    hole = _source_hole(np.maximum(frame, own[..., GLASSES] * band), other, layout)
    mirror_hole = _source_hole(mirrored[..., GLASSES] * band, mirrored[..., OTHER], layout)
    source_beard = own[..., BEARD] * _is_beard(own[..., BEARD], grid.face)
    target_beard = there[..., BEARD] * _is_beard(there[..., BEARD], grid.face)
    lips = np.maximum(grid.hull_mask(layout.goal[LIPS], 0.008), grid.hull_mask(layout.target[LIPS]))
    own_eyes = np.maximum(*(grid.hull_mask(layout.target[ring], 0.01) for ring in EYES))
    lens = _hidden_share(own_frame, layout.target, grid)
    own_frame = own_frame * (1 - own_eyes * (1 - lens))
    things = smooth(np.maximum(there[..., OTHER], own_frame), 0.2, 0.75)
    beard = smooth(target_beard, 0.4, 0.8) * (1 - lips)
    return Front(
        hole=hole,
        mirror_hole=mirror_hole,
        hidden=np.maximum(
            _hidden_eyes(frame, hole, layout), _hidden_brows(np.minimum(hole, mirror_hole), layout)
        ),
        source_beard=source_beard,
        target_beard=target_beard,
        keep=np.maximum(things, beard) * (parts.distance > 0),
    )


@dataclass(frozen=True, kw_only=True)
class Cover:
    """How much is in front of the faces, 0…1; the fields are those of `Measures`."""

    filled: float
    kept: float
    eyes_hidden: float


def measure_cover(front: Front, layout: Layout) -> Cover:
    """Return which shares of the face are covered in the source and in the target."""
    face = layout.parts.base
    filled, kept = (
        float((face * np.minimum(mask, 1)).sum() / max(face.sum(), 1))
        for mask in (np.maximum(front.hole, front.hidden), front.keep)
    )
    eyes = np.maximum(*(layout.grid.hull_mask(layout.goal[ring]) for ring in EYES))
    hidden = float((eyes * front.hidden).sum() / max(eyes.sum(), 1))
    return Cover(filled=filled, kept=kept, eyes_hidden=hidden)


def _positions(grid: Grid) -> Floats:
    """Return the centre of every cell, in pixels of the region (H×W×2)."""
    x, y = grid.coordinates()
    return np.stack([x, y], -1) / np.float32(grid.scale)


def _is_beard(beard: Mask, face: float) -> np.float32:
    return np.float32(smooth(np.count_nonzero(beard > 0.5) / face**2, 0.05, 0.12))


def _source_hole(frame: Mask, other: Mask, layout: Layout) -> Mask:
    """Widen what was found by its soft edge, and frames downwards, where their shadow lies."""
    face, features = layout.grid.face, layout.parts.features
    grown = np.asarray(cv2.dilate(frame, disc(max(1, 0.016 * face))), np.float32)
    length = max(1, int(0.02 * face))
    line = np.ones((length, 1), np.uint8)
    shade = np.asarray(cv2.dilate(grown, line, anchor=(0, length - 1)), np.float32)
    glasses = smooth(np.maximum(grown, 0.7 * shade * (1 - features)), 0.15, 0.5)
    brows = layout.brows_mask(layout.goal, 0.01)
    glasses = np.minimum(glasses, np.maximum(1 - brows, smooth(frame, 0.3, 0.6)))
    others = smooth(np.asarray(cv2.dilate(other, disc(max(1, 0.01 * face)))), 0.2, 0.6)
    eyes = np.maximum(*(layout.grid.hull_mask(layout.goal[ring], 0.014) for ring in EYES))
    hole = np.maximum(glasses * (1 - eyes), others) * (layout.parts.distance > 0)
    return blur(np.asarray(hole, np.float32), max(0.7, 0.006 * face))


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


def _hidden_brows(hole: Mask, layout: Layout) -> Mask:
    """Return a soft mask of both brows if hardly anything is seen of one, else zeros."""
    grid = layout.grid
    brows = [grid.hull_mask(layout.goal[ring]) for ring in (RIGHT_BROW, LEFT_BROW)]
    hidden = max(float((hole * brow).sum() / max(brow.sum(), 1)) for brow in brows)
    wide = layout.brows_mask(layout.goal, 0.02)
    return blur(wide * np.float32(smooth(hidden, 0.5, 0.7)), max(0.7, 0.012 * grid.face))


def _hidden_eyes(glasses: Mask, hole: Mask, layout: Layout) -> Mask:
    """Return the soft mask of dark lenses if one of the eyes surely cannot be seen, else zeros.

    Eyes of two people would squint, so both are replaced.
    """
    grid = layout.grid
    wide = np.maximum(
        *(
            grid.hull_mask(layout.goal[ring], 0.03)
            for ring in (RIGHT_EYE + RIGHT_BROW, LEFT_EYE + LEFT_BROW)
        )
    )
    lenses = np.maximum(hole * band_of_glasses(layout), wide)
    hidden = _hidden_share(glasses, layout.goal, grid)
    return blur(lenses * hidden, max(0.7, 0.012 * grid.face))


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
