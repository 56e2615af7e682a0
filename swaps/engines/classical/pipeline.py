"""The whole recipe: detect → align → warp → match colour → match detail → blend."""

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
from swaps.engines.classical.geometry import goal as goal_of
from swaps.engines.classical.geometry import pose
from swaps.engines.classical.grid import Grid
from swaps.engines.classical.large import put_back, working_copy
from swaps.engines.classical.mask import Regions, face_mask, regions, skins
from swaps.engines.classical.mirror import fill_hidden_half
from swaps.engines.classical.modes import as_array, as_rgb, as_seen, hidden, in_mode_of, is_grey
from swaps.engines.classical.mouth import keeps_own_mouth, put_mouth_back
from swaps.engines.classical.types import Face, Floats, Mask, NoFace, Picture, Pixels, SwapOutput
from swaps.engines.classical.warp import Maps, crop_source, lay_out, sample

_YAW_LIMIT = 35.0  # degrees: beyond, one face shows what the other hides
_SOLID = 0.9  # of the mask: where detail is measured
_NEARLY_GREY = 8  # levels: colour below this is the coding's, not the picture's
_EDGE = 0.03  # of the face: within this from the silhouette the change fades to nothing


def _silent(_stage: str) -> None:
    pass


class Engine:
    """Swaps faces; created once per process (loading takes about a tenth of a second).

    ``models``: the folder with the four model files (`manage.py fetch_models`). Raises
    ModelError when one is missing or damaged. Not for two threads at a time.
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
        """Put the largest face of ``source`` onto the largest of ``target``, at whatever angle.

        A source's face must show its eyes, nose and mouth, and be of one person. What is
        transparent (alpha below a quarter) is not seen.

        Both: uint8 or uint16, H×W grey, H×W×3 RGB or H×W×4 RGBA, upright. The result is uint8 in
        the target's mode; a target that is grey around the face stays grey; alpha is the
        target's; pixels outside the face's silhouette are the target's. Equal inputs give equal
        results. Raises NoFace, and ValueError for an array that is no picture.
        """
        report = progress or _silent
        report("detect")
        source_pixels = as_array(source)
        source_picture = as_rgb(source_pixels)
        is_hidden = hidden(source_pixels)
        source_picture = as_seen(source_picture, is_hidden)
        source_face, faces_in_source = self._finder.largest(
            source_picture, must_be_whole=True, hidden=is_hidden
        )
        if source_face is None:
            raise NoFace("source")
        target_pixels = as_array(target)
        result = as_rgb(target_pixels)
        target_face, faces_in_target = self._finder.largest(as_seen(result, hidden(target_pixels)))
        if target_face is None:
            raise NoFace("target")
        if not isinstance(target, Image.Image) and np.may_share_memory(result, target_pixels):
            result = result.copy()  # the caller's array stays as it is
        work = working_copy(result, target_face, source_face)
        change = _swap_in(source_picture, source_face, work.picture, work.face, report)
        x, y, width, height = work.box
        part = result[y : y + height, x : x + width]
        change.put_into(part, work.picture if work.is_reduced else None)
        turned = pose(source_face.landmarks).yaw - pose(target_face.landmarks).yaw
        return SwapOutput(
            image=in_mode_of(target_pixels, result),
            warnings=("yaw",) if abs(turned) > _YAW_LIMIT else (),
            faces_in_source=faces_in_source,
            faces_in_target=faces_in_target,
        )


@dataclass(frozen=True, kw_only=True)
class _Change:
    """A swapped region: ``pixels`` H×W×3 and ``mask`` H×W of the grid's box."""

    grid: Grid
    pixels: Picture
    mask: Mask

    def put_into(self, part: Picture, reduced: Picture | None) -> None:
        """Write into ``part`` of the result; ``reduced`` is that part at working resolution."""
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
        put_back(part, reduced, after, mask)


def _swap_in(
    source: Picture,
    source_face: Face,
    target: Picture,
    target_face: Face,
    report: Callable[[str], None],
) -> _Change:
    """The recipe on pictures of a sensible size."""
    report("align")
    goal = goal_of(source_face.landmarks, target_face.landmarks)
    grid = Grid.around(goal)
    region = grid.cut(target)

    report("warp")
    crop = crop_source(source, source_face, goal)
    maps = lay_out(grid, goal, crop, pose(source_face.landmarks).yaw)
    direct = follow_gaze(maps.direct, grid, goal, crop.face, target_face)
    face = sample(crop.picture, grid.up(direct), cubic=crop.scale > 1)
    parts = regions(grid, maps, goal, target_face.landmarks, grid.inside(target))
    face = fill_hidden_half(face, crop, grid, maps, parts)

    report("colour")
    target_lab = lab(grid.down(region))
    skin = skins(lab(grid.down(face)), target_lab, parts.core)
    mask = grid.up(face_mask(grid, maps, parts, skin))
    face = match_colour(face, target_lab, grid, parts, skin, goal=goal)
    if is_grey(region, _NEARLY_GREY):
        face = np.repeat(luma(face)[..., None], 3, axis=2)
    if keeps_own_mouth(source_face.landmarks, target_face.landmarks):
        face = put_mouth_back(face, region, grid, goal, target_face.landmarks)

    report("detail")
    plain = grid.up(parts.core * skin.source * skin.target)
    face = match_detail(face, region, plain * (mask > _SOLID), grid.up(parts.features))

    report("blend")
    pixels = _put_together(face, region, grid, maps, parts, mask=mask)
    return _Change(grid=grid, pixels=pixels, mask=mask)


def _put_together(
    face: Floats, region: Picture, grid: Grid, maps: Maps, parts: Regions, *, mask: Mask
) -> Picture:
    """The region with the face in it; identical to the target outside the silhouette."""
    ground = region.astype(np.float32)
    has_face = (maps.direct[..., 0] >= 0) & (parts.base > 0)
    covered = grid.up(has_face.astype(np.float32)) > 0.5
    np.clip(face, 0, 255, out=face)
    face = np.asarray(cv2.copyTo(face, covered.astype(np.uint8), ground.copy()), np.float32)
    blended = blend(face, ground, mask, size=grid.face / grid.scale)
    # A pyramid's coarse levels reach out of the silhouette: nothing there may change.
    limit = smooth(grid.up(parts.distance), 0, _EDGE * grid.face)
    pixels = np.clip(mix(ground, blended, limit) + 0.5, 0, 255).astype(np.uint8)
    return np.repeat(pixels[..., :1], 3, axis=2) if is_grey(region) else pixels
