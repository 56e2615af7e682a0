"""Locates the 468 landmarks and the two irises of a detected face.

MediaPipe Face Mesh (Kartynnik et al. 2019) on a rotated 192² crop, MediaPipe Iris (Ablavatski et
al. 2020) on two 64² crops.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from swaps.engines.classical.blazeface import eye_angle
from swaps.engines.classical.filters import padded_crop
from swaps.engines.classical.mesh import MIRROR
from swaps.engines.classical.models import Model
from swaps.engines.classical.pyramid import Pyramid
from swaps.engines.classical.types import AnyArray, Floats, Landmarks

_CROP = 192
_PATCH_REACH = 0.8  # half a rotated square (√½), shifted and enlarged by _JITTER, in sides
_MARGIN = 1.5  # the crop's side in sides of the box
_EYES = ((33, 133, True), (362, 263, False))  # corners, mirrored: the network knows left eyes only
# One crop leaves about a pixel of noise in 192. The mean over shifted, rotated and mirrored
# crops (dx, dy, size, turn, mirrored) more than halves it.
_JITTER = (
    (0.0, 0.0, 1.0, 0.0, True),
    (0.02, 0.01, 0.94, 0.05, False),
    (-0.02, 0.01, 1.06, -0.05, True),
    (0.0, -0.02, 1.0, -0.05, False),
)


@dataclass(frozen=True)
class _Region:
    """A rotated square: centre and side in pixels, angle in radians."""

    x: float
    y: float
    side: float
    angle: float

    def to_picture(self, crop: int, *, mirrored: bool) -> AnyArray:
        """Return the matrix (2×3) from the crop's coordinates (0…``crop``) to the picture's."""
        c, s = (f(self.angle) * self.side / crop for f in (math.cos, math.sin))
        turn = np.array([[c, -s], [s, c]])
        shift = np.array([self.x, self.y]) - turn @ [crop / 2, crop / 2]
        if mirrored:
            shift, turn = shift + turn[:, 0] * crop, turn * [-1, 1]
        return np.column_stack([turn, shift])

    @classmethod
    def around(cls, landmarks: AnyArray) -> "_Region":
        """Return the upright square around landmarks, with a margin."""
        eyes = landmarks[263] - landmarks[33]
        angle = math.atan2(eyes[1], eyes[0])
        c, s = math.cos(angle), math.sin(angle)
        upright = landmarks[:, :2] @ np.array([[c, -s], [s, c]])
        low, high = upright.min(0), upright.max(0)
        x, y = np.array([[c, -s], [s, c]]) @ ((low + high) / 2)
        return cls(x, y, _MARGIN * float((high - low).max()), angle)


class Landmarker:
    """Locates landmarks and irises of faces."""

    def __init__(self, folder: Path, threads: int) -> None:
        self._mesh = Model(folder, "face_landmark", ("conv2d_21", "conv2d_31"), threads)
        self._iris = Model(folder, "iris_landmark", ("output_iris",), threads)

    def locate(self, picture: Pyramid, detection: Floats) -> tuple[Landmarks, float]:
        """Return rough landmarks (two passes) and the probability, 0…1, that this is a face."""
        x0, y0, x1, y1 = (float(v) for v in detection[:4])
        first = _Region(
            (x0 + x1) / 2, (y0 + y1) / 2, _MARGIN * max(x1 - x0, y1 - y0), eye_angle(detection)
        )
        patch = _Patch(picture, first)
        landmarks, score = self._infer(patch, first)
        if score >= 0.3:
            landmarks, score = self._infer(patch, _Region.around(landmarks))
        return landmarks.astype(np.float32), score

    def refine(self, picture: Pyramid, landmarks: Landmarks) -> Landmarks:
        """Return the mean of the landmarks found in five slightly different crops."""
        region = _Region.around(landmarks)
        patch = _Patch(picture, region)
        passes = [np.asarray(landmarks, np.float64)]
        for dx, dy, size, turn, mirrored in _JITTER:
            moved = _Region(
                region.x + dx * region.side,
                region.y + dy * region.side,
                region.side * size,
                region.angle + turn,
            )
            passes.append(self._infer(patch, moved, mirrored=mirrored)[0])
        return np.asarray(np.mean(passes, axis=0), np.float32)

    def irises(self, picture: Pyramid, landmarks: Landmarks) -> Floats:
        """Return the centres of the right and the left iris (2×2), in pixels."""
        centres = []
        for outer, inner, mirrored in _EYES:
            p, q = landmarks[outer, :2].astype(float), landmarks[inner, :2].astype(float)
            (x, y), (dx, dy) = (p + q) / 2, q - p
            region = _Region(x, y, max(2.3 * math.hypot(dx, dy), 1.0), math.atan2(dy, dx))
            patch = _Patch(picture, region, crop=64)
            inputs, to_picture = patch.crop(region, 64, mirrored=mirrored)
            (points,) = self._iris(inputs)
            centres.append(to_picture[:, :2] @ points.reshape(5, 3)[0, :2] + to_picture[:, 2])
        return np.array(centres, np.float32)

    def _infer(
        self, patch: "_Patch", region: _Region, *, mirrored: bool = False
    ) -> tuple[AnyArray, float]:
        inputs, to_picture = patch.crop(region, _CROP, mirrored=mirrored)
        points, logit = self._mesh(inputs)
        points = points.reshape(-1, 3)
        flat = points[:, :2] @ to_picture[:, :2].T + to_picture[:, 2]
        found = np.column_stack([flat, points[:, 2] * region.side / _CROP])
        score = 1 / (1 + math.exp(-float(np.clip(logit.ravel()[0], -50, 50))))
        return (found[MIRROR] if mirrored else found), score


class _Patch:
    """The surroundings of one face, reduced once so that crops need no anti-aliasing."""

    def __init__(self, picture: Pyramid, region: _Region, crop: int = _CROP) -> None:
        # One to two pixels per pixel of the crop: bilinear sampling does not alias there.
        level, factor = picture.no_finer_than(region.side / crop)
        half = math.ceil(_PATCH_REACH * region.side / factor)
        x, y = round(region.x / factor) - half, round(region.y / factor) - half
        self._pixels = padded_crop(level, x, y, 2 * half, 2 * half)
        self._x, self._y, self._scale = x * factor, y * factor, 1 / factor

    def crop(self, region: _Region, side: int, *, mirrored: bool) -> tuple[Floats, AnyArray]:
        """Return the network's input (side×side×3, 0…1) and the matrix (2×3) to the picture."""
        to_picture = region.to_picture(side, mirrored=mirrored)
        to_patch = to_picture * self._scale
        to_patch[:, 2] -= np.array([self._x, self._y]) * self._scale
        # Pixel centres lie at halves here and at whole numbers in OpenCV.
        to_patch[:, 2] += to_patch[:, :2] @ [0.5, 0.5] - 0.5
        pixels = cv2.warpAffine(
            self._pixels,
            to_patch,
            (side, side),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return np.asarray(pixels, np.float32) * np.float32(1 / 255), to_picture
