"""The recipe of a face swap: align → warp → front → match tone → match detail → blend."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from swaps.engines.classical.blend import blend
from swaps.engines.classical.detail import match_detail
from swaps.engines.classical.fill import fill_holes, with_own_face
from swaps.engines.classical.filters import lab, luma, mix, smooth
from swaps.engines.classical.front import Cover, Front, edge_aware, find_front, measure_cover
from swaps.engines.classical.gaze import follow_gaze
from swaps.engines.classical.geometry import goal_landmarks, pose, smile_gap
from swaps.engines.classical.grid import Grid
from swaps.engines.classical.large import changed_pixels, composite_full_size
from swaps.engines.classical.layout import Layout
from swaps.engines.classical.light import side_light
from swaps.engines.classical.mask import (
    Regions,
    Skins,
    core_without,
    face_mask,
    regions,
    skins,
)
from swaps.engines.classical.mirror import fill_hidden_half
from swaps.engines.classical.modes import is_grey
from swaps.engines.classical.mouth import has_duller_teeth, is_openness_unlike, mouth_mask
from swaps.engines.classical.parse import Parse
from swaps.engines.classical.tone import FaceColours, match_tone
from swaps.engines.classical.types import Face, Floats, Landmarks, Mask, Picture
from swaps.engines.classical.warp import Maps, build_maps, crop_source, sample

_SOLID = 0.9  # mask value from which detail is measured
_NEARLY_GREY = 8  # levels of 255: less colour comes from JPEG coding
_EDGE = 0.03  # of the face's size: at the silhouette the change fades out over this


@dataclass(frozen=True, kw_only=True)
class Change:
    """A swapped region: ``pixels`` (H×W×3) and ``mask`` (H×W) of the grid's box."""

    grid: Grid
    pixels: Picture
    mask: Mask
    cover: Cover

    def write_into(self, part: Picture, original: Picture, reduced: Picture | None) -> None:
        """Write what changed into ``part`` of the result.

        ``original`` is that part of the target, and may be ``part`` itself; ``reduced`` is that at
        working resolution, or None.
        """
        picture = part if reduced is None else reduced
        rows, columns = picture.shape[:2]
        grid = self.grid
        x0, y0 = max(grid.x, 0), max(grid.y, 0)
        x1, y1 = min(grid.x + grid.width, columns), min(grid.y + grid.height, rows)
        there = slice(y0, y1), slice(x0, x1)
        here = slice(y0 - grid.y, y1 - grid.y), slice(x0 - grid.x, x1 - grid.x)
        if reduced is None:
            is_changed = changed_pixels(original[there], self.pixels[here])
            cv2.copyTo(self.pixels[here], is_changed, part[there])
            return
        after, mask = reduced.copy(), np.zeros((rows, columns), np.float32)
        after[there], mask[there] = self.pixels[here], self.mask[here]
        composite_full_size(part, original, reduced, after, mask)


def swap_region(
    source: Picture,
    source_face: Face,
    target: Picture,
    target_face: Face,
    *,
    parse: Callable[[Picture, Landmarks], Parse],
    report: Callable[[str], None],
) -> Change:
    """Swap the faces in pictures of working size, and return the changed region."""
    report("align")
    goal = goal_landmarks(source_face.landmarks, target_face.landmarks)
    grid = Grid.around(goal)
    region = grid.crop(target)

    report("warp")
    crop = crop_source(source, source_face, goal)
    maps = build_maps(grid, goal, crop, target_face.landmarks, pose(source_face.landmarks).yaw)
    direct = follow_gaze(maps.direct, grid, goal, crop.face, target_face)
    face = sample(crop.picture, grid.upsample(direct), cubic=crop.scale > 1)
    parts = regions(grid, maps, goal, target_face.landmarks, grid.inside_mask(target))
    layout = Layout(
        grid=grid, goal=goal, target=target_face.landmarks, maps=maps, parts=parts,
        smile_gap=smile_gap(source_face.landmarks, target_face.landmarks),
    )  # fmt: skip
    face = fill_hidden_half(face, crop, grid, maps, parts)

    report("front")
    in_region = target_face.moved((1, 1), (grid.x, grid.y)).landmarks
    target_lab = lab(grid.downsample(region))
    front = find_front(
        parse(crop.picture, crop.face.landmarks),
        parse(region, in_region),
        layout,
        source_lab=lab(grid.downsample(face)),
        target_lab=target_lab,
    )
    face = fill_holes(face, crop, front, layout)

    report("colour")
    face, skin, seen = _match_colour(face, region, target_lab, front, layout)
    own = front.replaced
    is_unlike = is_openness_unlike(source_face.landmarks, target_face.landmarks)
    if is_unlike or has_duller_teeth(face, region, layout):
        own = np.maximum(own, mouth_mask(layout))

    report("detail")
    bare = (1 - front.replaced) * (1 - front.keep)
    plain = grid.upsample(parts.core * skin.source * skin.target * bare)
    features = grid.upsample(parts.features)
    edges = grid.upsample(parts.features * (1 - front.replaced))
    mask = grid.upsample(seen)
    face = match_detail(face, region, plain * (mask > _SOLID), features, edges)
    face = with_own_face(face, region, own, layout)
    keep = edge_aware(front.keep, region, grid)
    if keep is not None:
        face = mix(face, region.astype(np.float32), keep)
        mask *= 1 - keep

    report("blend")
    pixels = _composite(face, region, grid, maps, parts, mask=mask)
    cover = measure_cover(front, layout)
    return Change(grid=grid, pixels=pixels, mask=mask, cover=cover)


def _match_colour(
    face: Floats, region: Picture, target_lab: Floats, front: Front, layout: Layout
) -> tuple[Floats, Skins, Mask]:
    """Return the warped face in the target's tone and light, what is skin, and the mask (grid)."""
    grid, maps, parts = layout.grid, layout.maps, layout.parts
    face_lab = lab(grid.downsample(face))
    side = side_light(face_lab, maps, parts, front.replaced)
    target_side = side_light(target_lab, maps, parts, front.keep)
    skin = skins(
        side.removed_from(face_lab),
        target_side.removed_from(target_lab),
        core_without(parts.core, front.replaced),
        core_without(parts.core, front.keep),
    )
    seen = face_mask(grid, maps, parts, skin, front.replaced)
    face = match_tone(
        face,
        FaceColours(lab=face_lab, skin=skin.source, covered=front.replaced, side=side),
        FaceColours(lab=target_lab, skin=skin.target, covered=front.keep, side=target_side),
        seen * (1 - front.replaced) * (1 - front.keep),
        layout,
    )
    if is_grey(region, _NEARLY_GREY):
        face = np.repeat(luma(face)[..., None], 3, axis=2)
    return face, skin, seen


def _composite(
    face: Floats, region: Picture, grid: Grid, maps: Maps, parts: Regions, *, mask: Mask
) -> Picture:
    """Return the region with the face in it; identical to the target outside the silhouette."""
    ground = region.astype(np.float32)
    has_face = (maps.direct[..., 0] >= 0) & (parts.base > 0)
    covered = grid.upsample(has_face.astype(np.float32)) > 0.5
    np.clip(face, 0, 255, out=face)
    face = np.asarray(cv2.copyTo(face, covered.astype(np.uint8), ground.copy()), np.float32)
    blended = blend(face, ground, mask, size=grid.face / grid.scale)
    # The coarse levels of the pyramid extend beyond the silhouette, where nothing may change.
    limit = smooth(grid.upsample(parts.distance), 0, _EDGE * grid.face)
    pixels = np.clip(mix(ground, blended, limit) + 0.5, 0, 255).astype(np.uint8)
    return np.repeat(pixels[..., :1], 3, axis=2) if is_grey(region) else pixels
