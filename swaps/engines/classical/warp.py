"""Warps the source's face onto the goal's shape, triangle by triangle.

Triangles are rasterised back to front (painter's algorithm, back faces culled) as numbers on the
grid; each number stands for one affine map. The maps are upsampled and the source is sampled once,
so its pixels are interpolated only once.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from swaps.engines.classical.filters import padded_crop, shrink_picture, smooth
from swaps.engines.classical.geometry import visibility
from swaps.engines.classical.grid import Grid, source_scale
from swaps.engines.classical.mesh import (
    ABOVE_JAW,
    CANONICAL,
    FOREHEAD_AND_TEMPLES,
    FOREHEAD_HEIGHT,
    MIRROR,
    TRIANGLES,
    signed_areas,
)
from swaps.engines.classical.types import AnyArray, Face, Floats, Ints, Landmarks, Mask, Picture

_FLAT = 0.02  # twice the area in cells²: smaller triangles have no stable affine map


@dataclass(frozen=True, kw_only=True)
class SourceCrop:
    """The source's face with some margin, reduced to the resolution that is needed."""

    picture: Picture
    face: Face
    scale: float  # target pixels per pixel of this crop
    extent: tuple[float, float, float, float]  # x0, y0, x1, y1: where the source picture lies

    def has_pixels_at(self, positions: Floats) -> AnyArray:
        """Return whether the source picture covers each position.

        Beyond it, its border is repeated.
        """
        x0, y0, x1, y1 = self.extent
        x, y = positions[..., 0], positions[..., 1]
        return np.asarray((x >= x0) & (x <= x1) & (y >= y0) & (y <= y1))


@dataclass(frozen=True, kw_only=True)
class Maps:
    """For each cell of the grid: where to sample the source crop, and what lies there."""

    direct: Floats  # H×W×2, pixels of the source crop; −1 where there is no face
    mirrored: Floats  # H×W×2, the same point on the face's other side
    mirror: Mask  # weight of the mirrored side
    mirror_visible: Mask
    upper: Mask  # forehead and temples, which hair may cover
    above_jaw: Mask
    height: Floats  # 0 brows … 1 hairline
    across: Floats  # x in the mean face, −0.5 … 0.5
    down: Floats  # y in the mean face
    own: Floats  # H×W×2, pixels of the region: where the target shows this point of its own face
    own_mirrored: Floats  # the same point on its other side
    silhouette: Mask  # 1 where the goal's face is and the source has pixels for it


def crop_source(source: Picture, face: Face, goal: Landmarks) -> SourceCrop:
    """Return the source's face with a margin, at most as large as it appears on the goal."""
    points = face.landmarks[:, :2]
    margin = 0.15 * float(np.ptp(points[:, 0]))
    x, y = np.floor(points.min(0) - margin).astype(int)
    width, height = np.ceil(points.max(0) + margin).astype(int) - [x, y]
    crop = padded_crop(source, int(x), int(y), int(width), int(height))
    scale = source_scale(
        float(np.abs(signed_areas(points, TRIANGLES)).sum()),
        float(np.abs(signed_areas(goal, TRIANGLES)).sum()),
    )
    sx = sy = 1.0
    if scale < 0.9:
        new_w, new_h = max(2, round(width * scale)), max(2, round(height * scale))
        sx, sy = new_w / float(width), new_h / float(height)
        crop, scale = shrink_picture(crop, new_w, new_h), 1.0
    rows, columns = source.shape[:2]
    return SourceCrop(
        picture=crop,
        face=face.moved((sx, sy), (x, y)),
        scale=scale,
        extent=(-x * sx, -y * sy, (columns - x) * sx, (rows - y) * sy),
    )


def build_maps(
    grid: Grid, goal: Landmarks, source: SourceCrop, target: Landmarks, yaw: float
) -> Maps:
    """Return the maps from the grid to the source crop and to the ``target``'s own face.

    ``yaw`` of the source is in degrees.
    """
    visible = visibility(source.face.landmarks)
    other = visible[MIRROR]
    # A frontal face shows both halves: mirroring sets in at 12° and is complete at 28°.
    hidden = np.where(other > visible, (other - visible) / np.maximum(other + visible, 1e-3), 0)
    hidden = hidden * smooth(abs(yaw), 12, 28)
    points = source.face.landmarks[:, :2]
    weights = [hidden, other, FOREHEAD_AND_TEMPLES, ABOVE_JAW, FOREHEAD_HEIGHT]
    in_region = target[:, :2] - [grid.x, grid.y]
    own = (in_region, in_region[MIRROR])
    numbers = rasterise(grid, goal, TRIANGLES)
    values = interpolate(
        grid,
        goal,
        TRIANGLES,
        numbers,
        np.column_stack([points, points[MIRROR], *weights, CANONICAL[:, :2], *own]),
    )
    silhouette = np.asarray(
        cv2.morphologyEx(
            (numbers >= 0).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8)
        )
    )
    direct = values[..., 0:2]
    return Maps(
        direct=direct,
        mirrored=values[..., 2:4],
        mirror=np.clip(values[..., 4], 0, 1),
        mirror_visible=values[..., 5],
        upper=np.clip(values[..., 6], 0, 1),
        above_jaw=np.clip(values[..., 7], 0, 1),
        height=values[..., 8],
        across=values[..., 9],
        down=values[..., 10],
        own=values[..., 11:13],
        own_mirrored=values[..., 13:15],
        silhouette=(silhouette * source.has_pixels_at(direct)).astype(np.float32),
    )


def rasterise(grid: Grid, goal: Landmarks, triangles: Ints) -> Ints:
    """Return the number of the nearest triangle in each cell (H×W), −1 where there is none."""
    points = grid.to_cells(goal)
    front = signed_areas(points, triangles) > _FLAT
    order = np.argsort(-goal[triangles, 2].mean(1), kind="stable")
    numbers = np.full(grid.shape, -1, np.int32)
    corners = np.round((points - 0.5) * 64).astype(np.int32)[triangles]
    for number in order[front[order]]:
        cv2.fillConvexPoly(numbers, corners[number], int(number), cv2.LINE_8, 6)
    return numbers


def interpolate(
    grid: Grid, goal: Landmarks, triangles: Ints, numbers: Ints, per_vertex: AnyArray
) -> Floats:
    """Interpolate a 468×n table linearly in each triangle (H×W×n); −1 far from the face.

    Three cells around the silhouette are filled as well, so that upsampling mixes in no gaps.
    """
    points = grid.to_cells(goal)
    solid = np.abs(signed_areas(points, triangles)) > _FLAT
    corners = np.concatenate([points[triangles], np.ones((len(triangles), 3, 1))], axis=2)
    affine = np.zeros((len(triangles), 3, per_vertex.shape[1]), np.float32)
    affine[solid] = np.linalg.solve(corners[solid], per_vertex[triangles[solid]])
    grown = numbers
    for _ in range(3):
        wider = cv2.dilate((grown + 1).astype(np.float32), np.ones((3, 3), np.uint8))
        grown = np.where(grown < 0, np.asarray(wider).astype(np.int32) - 1, grown)
    near = np.maximum(grown, 0)
    x, y = grid.coordinates()
    values = affine[:, 2].take(near, axis=0)
    values += affine[:, 0].take(near, axis=0) * x[..., None]
    values += affine[:, 1].take(near, axis=0) * y[..., None]
    values[grown < 0] = -1
    return np.asarray(values, np.float32)


def sample(picture: Picture, positions: Floats, *, cubic: bool) -> Floats:
    """Return the picture sampled at each position (H×W×3, 0…255); pixel centres lie at halves."""
    at = positions - np.float32(0.5)
    sampled = cv2.remap(
        picture,
        np.ascontiguousarray(at[..., 0]),
        np.ascontiguousarray(at[..., 1]),
        cv2.INTER_CUBIC if cubic else cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(sampled, np.float32)
