"""Decides whether a face can serve as a source: shown whole, and of one person."""

import math

import cv2
import numpy as np

from swaps.engines.classical.filters import lab
from swaps.engines.classical.mesh import LEFT_EYE, LIPS, OVAL, RIGHT_EYE
from swaps.engines.classical.pyramid import Pyramid
from swaps.engines.classical.types import AnyArray, Floats, Landmarks, Mask

_REQUIRED = [*RIGHT_EYE, *LEFT_EYE, *LIPS, 1, 98, 327]  # eyes, lips, the nose's tip and wings
_SIDE = 128  # pixels of the crop that is searched for a seam
_LONG = 0.45  # of the crop: a shorter line may be a shadow or a strand of hair
_RIM = 4  # pixels: width of the face's rim, next to hair and background
_CHEEK = 8  # pixels: extra margin at the sides, since hair may follow a cheek straight
_LEANING = math.radians(30)  # beyond this tilt the picture's axes cross the face at a slant
_STEP = 2.3  # CIE Lab: by how much a seam exceeds the next best lines, along and across
_ROWS = 35  # percentile: along two thirds of a seam the step exceeds its surroundings


def is_whole(landmarks: Landmarks, picture: Pyramid, hidden: AnyArray | None) -> bool:
    """Return whether the picture shows all of the eyes, nose and mouth, without a seam.

    ``hidden``: H×W, True where the picture is transparent.
    """
    rows, columns = picture[0].shape[:2]
    x, y = np.floor(landmarks[_REQUIRED, :2]).astype(int).T
    if (x < 0).any() or (y < 0).any() or (x >= columns).any() or (y >= rows).any():
        return False
    if hidden is not None and hidden[y, x].any():
        return False
    return not has_seam(landmarks, picture)


def has_seam(landmarks: Landmarks, picture: Pyramid) -> bool:
    """Return whether a straight cut divides the face, as in halves of two faces put together.

    Light and shadow change gradually or along curves. A cut is a step of one pixel that stays in
    one column (or row) all along the face; it is searched along the picture's own axes and the
    face's. It stands alone: the blocks of a strongly compressed JPEG make many such lines.
    """
    up = landmarks[10, :2] - landmarks[152, :2]
    tilt = math.atan2(up[0], -up[1])
    axis = round(tilt / (math.pi / 2)) * math.pi / 2
    for angle in {tilt, axis if abs(tilt - axis) < _LEANING else tilt}:
        face, inside, below = _crop(landmarks, picture, angle)
        between_cheeks = np.asarray(
            cv2.erode(inside, np.ones((1, 2 * _CHEEK + 1), np.uint8)), np.float32
        )
        upright = _line_contrasts(face, between_cheeks)
        # Brows and glasses are straight too, so lines across are searched below the eyes only.
        inside[:below] = 0
        across = _line_contrasts(face.transpose(1, 0, 2), inside.T)
        for lines, others in ((upright, across), (across, upright)):
            strongest = int(lines.argmax())
            next_best = np.delete(lines, slice(max(0, strongest - _RIM), strongest + _RIM + 1))
            if lines[strongest] > _STEP + next_best.max() + others.max():
                return True
    return False


def _crop(landmarks: Landmarks, picture: Pyramid, angle: float) -> tuple[Floats, Mask, int]:
    """Return the face rotated back by ``angle`` (Lab), its mask, and the row below the eyes."""
    c, s = math.cos(angle), math.sin(angle)
    turn = np.array([[c, -s], [s, c]])  # from the crop's directions to the picture's
    points = landmarks[:, :2] @ turn
    low, high = points.min(0), points.max(0)
    scale = max(float((high - low).max()) / _SIDE, 1e-3)
    corner = (low + high) / 2 - _SIDE / 2 * scale
    level, factor = picture.no_finer_than(scale)
    matrix = np.column_stack([turn * scale, turn @ corner]) / factor
    # Pixel centres lie at halves here and at whole numbers in OpenCV.
    matrix[:, 2] += matrix[:, :2] @ [0.5, 0.5] - 0.5
    pixels = cv2.warpAffine(
        level,
        matrix,
        (_SIDE, _SIDE),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    cells = (points - corner) / scale
    inside = np.zeros((_SIDE, _SIDE), np.uint8)
    cv2.fillPoly(inside, [cells[OVAL].round().astype(np.int32)], 1)
    inside = np.asarray(cv2.erode(inside, np.ones((2 * _RIM + 1, 2 * _RIM + 1), np.uint8)))
    below = int(cells[[*RIGHT_EYE, *LEFT_EYE], 1].max()) + _RIM
    return lab(np.asarray(pixels, np.uint8)), inside.astype(np.float32), below


def _line_contrasts(face: Floats, inside: Mask) -> Floats:
    """Return by how much the step at each vertical line exceeds the steps beside it (Lab).

    It is 0 where the line is too short.
    """
    softened = np.asarray(cv2.blur(np.ascontiguousarray(face), (1, 3)), np.float32)
    step = np.linalg.norm(softened[:, 2:] - softened[:, :-2], axis=2)  # around column i + 1
    excess = step[:, 2:-2] - np.maximum(step[:, :-4], step[:, 4:])  # around column i + 3
    is_inside = inside[:, 3:-3] > 0
    count = np.count_nonzero(is_inside, axis=0)
    # The percentile of each column's own rows: the others are sorted to its end.
    ordered = np.sort(np.where(is_inside, excess, np.float32(1e6)), axis=0)
    place = np.maximum(count - 1, 0) * (_ROWS / 100)
    below, columns = place.astype(int), np.arange(len(count))
    low, high = ordered[below, columns], ordered[np.minimum(below + 1, len(ordered) - 1), columns]
    is_long = count >= _LONG * _SIDE
    lines = np.zeros(len(count), np.float32)
    lines[is_long] = (low + (place - below) * (high - low))[is_long]
    return lines
