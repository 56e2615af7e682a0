"""Array operations that several steps of the engine use, with types."""

import math

import cv2
import numpy as np
import numpy.typing as npt

from swaps.engines.classical.types import Floats, Mask, Picture

_LUMA = np.array([[0.299, 0.587, 0.114]], np.float32)  # ITU-R BT.601, what JPEG uses


def smooth(values: npt.NDArray[np.floating] | float, low: float, high: float) -> Floats:
    """Return the smoothstep of values: 0 at ``low`` and below, 1 at ``high`` and above."""
    t = np.clip((np.asarray(values, np.float32) - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def blur(values: Floats, sigma: float) -> Floats:
    """Return a Gaussian blur of ``sigma`` pixels; a wide one is computed on a reduced grid."""
    factor = int(sigma / 4)
    if factor > 1:
        height, width = values.shape[:2]
        small = shrink(values, max(1, width // factor), max(1, height // factor))
        return enlarge(blur(small, sigma / factor), width, height)
    side = 2 * math.ceil(3 * sigma) + 1
    blurred = cv2.GaussianBlur(values, (side, side), sigma, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(blurred, np.float32)


def shrink(values: Floats | Picture, width: int, height: int) -> Floats:
    """Resize float values by area averaging."""
    return np.asarray(cv2.resize(values, (width, height), interpolation=cv2.INTER_AREA), np.float32)


def enlarge(values: Floats, width: int, height: int) -> Floats:
    """Resize float values by bilinear interpolation."""
    return np.asarray(
        cv2.resize(values, (width, height), interpolation=cv2.INTER_LINEAR), np.float32
    )


def shrink_picture(picture: Picture, width: int, height: int) -> Picture:
    """Resize a uint8 picture by area averaging, in halvings first, which are many times faster."""
    while picture.shape[1] >= 2 * width and picture.shape[0] >= 2 * height:
        halves = (picture.shape[1] // 2, picture.shape[0] // 2)
        even = picture[: 2 * halves[1], : 2 * halves[0]]
        picture = np.asarray(cv2.resize(even, halves, interpolation=cv2.INTER_AREA), np.uint8)
    if picture.shape[:2] == (height, width):
        return picture
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def padded_crop(picture: Picture, x: int, y: int, width: int, height: int) -> Picture:
    """Return a box of the picture; beyond the border, the border's pixels are repeated."""
    rows, columns = picture.shape[:2]
    x0, x1 = min(max(x, 0), columns - 1), max(min(x + width, columns), 1)
    y0, y1 = min(max(y, 0), rows - 1), max(min(y + height, rows), 1)
    x1, y1 = max(x1, x0 + 1), max(y1, y0 + 1)
    inside = picture[y0:y1, x0:x1]
    if inside.shape[:2] == (height, width):
        return inside
    left, top = min(max(x0 - x, 0), width - 1), min(max(y0 - y, 0), height - 1)
    inside = inside[: height - top, : width - left]
    bottom, right = height - top - inside.shape[0], width - left - inside.shape[1]
    padded = cv2.copyMakeBorder(inside, top, bottom, left, right, cv2.BORDER_REPLICATE)
    return np.asarray(padded, np.uint8)


def disc(radius: float) -> npt.NDArray[np.uint8]:
    """Return an elliptic structuring element (uint8), at least 3×3."""
    side = 2 * max(1, int(radius)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)


def luma(picture: Floats) -> Floats:
    """Return the luma (H×W) of an RGB picture (H×W×3), in the same range."""
    return np.asarray(cv2.transform(picture, _LUMA), np.float32)


def lab(picture: Picture | Floats) -> Floats:
    """Convert RGB 0…255 to CIE L*a*b* with L 0…100."""
    scaled = np.asarray(picture, np.float32) * np.float32(1 / 255)
    return np.asarray(cv2.cvtColor(scaled, cv2.COLOR_RGB2LAB), np.float32)


def mix(ground: Floats, over: Floats, weight: Mask) -> Floats:
    """Return ``over`` where the weight (H×W, 0…1) is 1 and ``ground`` where it is 0."""
    change = over - ground
    change *= weight[..., None]
    change += ground
    return change
