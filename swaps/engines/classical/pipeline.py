"""The steps of a face swap: detect → align → warp → match colour → match detail → blend."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from swaps.engines.classical.blend import blend
from swaps.engines.classical.colour import match_colour
from swaps.engines.classical.detail import match_detail
from swaps.engines.classical.faces import FaceFinder
from swaps.engines.classical.filters import lab, luma, mix, smooth
from swaps.engines.classical.gaze import follow_gaze
from swaps.engines.classical.geometry import goal_landmarks, pose
from swaps.engines.classical.grid import Grid
from swaps.engines.classical.large import composite_full_size, working_copy
from swaps.engines.classical.mask import Regions, face_mask, regions, skins
from swaps.engines.classical.mirror import fill_hidden_half
from swaps.engines.classical.modes import (
    as_array,
    as_rgb,
    convert_to_mode_of,
    fill_hidden,
    hidden_pixels,
    is_grey,
)
from swaps.engines.classical.mouth import is_own_mouth_kept, restore_mouth
from swaps.engines.classical.types import Face, Floats, Mask, NoFace, Picture, Pixels, SwapOutput
from swaps.engines.classical.warp import Maps, build_maps, crop_source, sample

_YAW_LIMIT = 35.0  # degrees: beyond, one face shows much that the other hides
_SOLID = 0.9  # mask value from which detail is measured
_NEARLY_GREY = 8  # levels of 255: less colour comes from JPEG coding
_EDGE = 0.03  # of the face's size: at the silhouette the change fades out over this


def _no_progress(_stage: str) -> None:
    pass


class Engine:
    """Swaps faces; create it once per process (loading takes about a tenth of a second).

    ``models``: the folder with the four model files (`manage.py fetch_models`). Raises ModelError
    when one is missing or damaged. It is not thread-safe.
    """

    def __init__(self, models: Path, threads: int = 1) -> None:
        cv2.setNumThreads(threads)
        self._finder = FaceFinder(models, threads)

    def swap(
        self,
        source: Pixels,
        target: Pixels,
        progress: Callable[[str], None] | None = None,
    ) -> SwapOutput:
        """Put the largest face of ``source`` onto the largest face of ``target``, at any angle.

        The source's face must show its eyes, nose and mouth, and be of one person. Transparent
        pixels (alpha below a quarter) count as not shown. ``progress`` is called with the name of
        each stage.

        Both pictures: uint8 or uint16, H×W grey, H×W×3 RGB or H×W×4 RGBA, upright. The result is
        uint8 in the target's mode; a target that is grey around the face stays grey; alpha is the
        target's; pixels outside the face's silhouette are the target's. Equal inputs give equal
        results. Raises NoFace, and ValueError for an array that is no picture.
        """
        report = progress or _no_progress
        report("detect")
        source_pixels = as_array(source)
        source_picture = as_rgb(source_pixels)
        is_hidden = hidden_pixels(source_pixels)
        source_picture = fill_hidden(source_picture, is_hidden)
        source_face, faces_in_source = self._finder.largest(
            source_picture, must_be_whole=True, hidden=is_hidden
        )
        if source_face is None:
            raise NoFace("source")
        target_pixels = as_array(target)
        result = as_rgb(target_pixels)
        target_face, faces_in_target = self._finder.largest(
            fill_hidden(result, hidden_pixels(target_pixels))
        )
        if target_face is None:
            raise NoFace("target")
        if not isinstance(target, Image.Image) and np.may_share_memory(result, target_pixels):
            result = result.copy()  # do not change the caller's array
        work = working_copy(result, target_face, source_face)
        change = _swap_region(source_picture, source_face, work.picture, work.face, report)
        x, y, width, height = work.box
        part = result[y : y + height, x : x + width]
        change.write_into(part, work.picture if work.is_reduced else None)
        turned = pose(source_face.landmarks).yaw - pose(target_face.landmarks).yaw
        return SwapOutput(
            image=convert_to_mode_of(target_pixels, result),
            warnings=("yaw",) if abs(turned) > _YAW_LIMIT else (),
            faces_in_source=faces_in_source,
            faces_in_target=faces_in_target,
        )


@dataclass(frozen=True, kw_only=True)
class _Change:
    """A swapped region: ``pixels`` (H×W×3) and ``mask`` (H×W) of the grid's box."""

    grid: Grid
    pixels: Picture
    mask: Mask

    def write_into(self, part: Picture, reduced: Picture | None) -> None:
        """Write into ``part`` of the result.

        ``reduced`` is that part at working resolution, or None.
        """
        picture = part if reduced is None else reduced
        rows, columns = picture.shape[:2]
        grid = self.grid
        x0, y0 = max(grid.x, 0), max(grid.y, 0)
        x1, y1 = min(grid.x + grid.width, columns), min(grid.y + grid.height, rows)
        there = slice(y0, y1), slice(x0, x1)
        here = slice(y0 - grid.y, y1 - grid.y), slice(x0 - grid.x, x1 - grid.x)
        if reduced is None:
            part[there] = self.pixels[here]
            return
        after, mask = reduced.copy(), np.zeros((rows, columns), np.float32)
        after[there], mask[there] = self.pixels[here], self.mask[here]
        composite_full_size(part, reduced, after, mask)


def _swap_region(
    source: Picture,
    source_face: Face,
    target: Picture,
    target_face: Face,
    report: Callable[[str], None],
) -> _Change:
    """Swap the faces in pictures of working size, and return the changed region."""
    report("align")
    goal = goal_landmarks(source_face.landmarks, target_face.landmarks)
    grid = Grid.around(goal)
    region = grid.crop(target)

    report("warp")
    crop = crop_source(source, source_face, goal)
    maps = build_maps(grid, goal, crop, pose(source_face.landmarks).yaw)
    direct = follow_gaze(maps.direct, grid, goal, crop.face, target_face)
    face = sample(crop.picture, grid.upsample(direct), cubic=crop.scale > 1)
    parts = regions(grid, maps, goal, target_face.landmarks, grid.inside_mask(target))
    face = fill_hidden_half(face, crop, grid, maps, parts)

    report("colour")
    target_lab = lab(grid.downsample(region))
    skin = skins(lab(grid.downsample(face)), target_lab, parts.core)
    mask = grid.upsample(face_mask(grid, maps, parts, skin))
    face = match_colour(face, target_lab, grid, parts, skin, goal=goal)
    if is_grey(region, _NEARLY_GREY):
        face = np.repeat(luma(face)[..., None], 3, axis=2)
    if is_own_mouth_kept(source_face.landmarks, target_face.landmarks):
        face = restore_mouth(face, region, grid, goal, target_face.landmarks)

    report("detail")
    plain = grid.upsample(parts.core * skin.source * skin.target)
    face = match_detail(face, region, plain * (mask > _SOLID), grid.upsample(parts.features))

    report("blend")
    pixels = _composite(face, region, grid, maps, parts, mask=mask)
    return _Change(grid=grid, pixels=pixels, mask=mask)


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
