"""The region of one swap in target pixels, and a coarse grid of cells over it.

Geometry and masks are smooth, so they are computed on at most 256 cells a side and upsampled.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from swaps.engines.classical.filters import disc, enlarge, padded_crop, shrink
from swaps.engines.classical.geometry import face_size
from swaps.engines.classical.types import AnyArray, Floats, Landmarks, Mask, Picture

_CELLS = 256
_PAD = 0.12  # of the face's size: margin for the blend


@dataclass(frozen=True, kw_only=True)
class Grid:
    """A rectangle of the target, in pixels, with a coarser raster of cells.

    It may extend beyond the picture's border.
    """

    x: int
    y: int
    width: int
    height: int
    scale: float  # cells per pixel, at most 1
    face: float  # the face's size in cells, the unit of lengths in masks

    @classmethod
    def around(cls, landmarks: Landmarks) -> "Grid":
        """Return the grid around a face, with a margin for the blend."""
        face = face_size(landmarks)
        low = np.floor(landmarks[:, :2].min(0) - _PAD * face).astype(int)
        high = np.ceil(landmarks[:, :2].max(0) + _PAD * face).astype(int)
        width, height = (max(2, int(side)) for side in high - low)
        scale = min(1.0, _CELLS / max(width, height))
        return cls(
            x=int(low[0]),
            y=int(low[1]),
            width=width,
            height=height,
            scale=scale,
            face=max(1.0, face * scale),
        )

    @property
    def shape(self) -> tuple[int, int]:
        """The rows and columns of cells that there are."""
        return max(2, round(self.height * self.scale)), max(2, round(self.width * self.scale))

    def crop(self, picture: Picture) -> Picture:
        """Return the region's pixels; beyond the border, the border's pixels are repeated."""
        return padded_crop(picture, self.x, self.y, self.width, self.height)

    def to_cells(self, points: AnyArray) -> AnyArray:
        """Convert n×2 positions from pixels of the picture to cells of the grid."""
        return np.asarray((points[:, :2].astype(np.float64) - [self.x, self.y]) * self.scale)

    def upsample(self, values: Floats) -> Floats:
        """Resize values from cells to the region's pixels."""
        if values.shape[:2] == (self.height, self.width):
            return values
        return enlarge(np.ascontiguousarray(values), self.width, self.height)

    def downsample(self, values: Floats | Picture) -> Floats:
        """Resize values from the region's pixels to cells, by area averaging."""
        rows, columns = self.shape
        if values.shape[:2] == (rows, columns):
            return np.asarray(values, np.float32)
        return shrink(values, columns, rows)

    def polygon_mask(self, points: AnyArray) -> Mask:
        """Return an anti-aliased mask of the polygon of n×2 points, in pixels of the picture."""
        mask = np.zeros(self.shape, np.uint8)
        corners = np.round((self.to_cells(points) - 0.5) * 16).astype(np.int32)
        cv2.fillPoly(mask, [corners], 255, cv2.LINE_AA, 4)
        return np.asarray(mask, np.float32) / np.float32(255)

    def hull_mask(self, points: AnyArray, grow: float = 0.0) -> Mask:
        """Return an anti-aliased mask of the convex hull of n×2 points, in pixels of the picture.

        ``grow`` widens it, as a fraction of the face.
        """
        corners = cv2.convexHull(np.ascontiguousarray(points[:, :2], np.float32))[:, 0]
        mask = self.polygon_mask(np.asarray(corners))
        return np.asarray(cv2.dilate(mask, disc(grow * self.face)), np.float32) if grow else mask

    def inside_mask(self, picture: Picture) -> Mask:
        """Return a mask that is 1 where a cell lies within the picture."""
        rows, columns = self.shape
        y = (np.arange(rows) + 0.5) / self.scale + self.y
        x = (np.arange(columns) + 0.5) / self.scale + self.x
        within_y = (y >= 0) & (y < picture.shape[0])
        within_x = (x >= 0) & (x < picture.shape[1])
        return np.asarray(within_y[:, None] & within_x, np.float32)

    def coordinates(self) -> tuple[Floats, Floats]:
        """Return x and y of every cell's centre, in cells."""
        rows, columns = self.shape
        y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
        return x + 0.5, y + 0.5

    def radius(self, fraction: float) -> float:
        """Return a fraction of the face's size in cells, at least one."""
        return max(1.0, fraction * self.face)


def source_scale(source_area: float, goal_area: float) -> float:
    """Return how many target pixels wide one source pixel becomes."""
    return math.sqrt(goal_area / max(source_area, 1e-6))
