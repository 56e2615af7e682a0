"""A picture being drawn: strokes and areas laid over a face, and the labels that follow them."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from swaps.engines.classical.square import SIDE
from swaps.engines.classical.types import AnyArray, Floats
from tools.parse_training.faces import IGNORED, Base

_FINE = 2  # shapes are drawn this much larger, then reduced by area
_SHIFT = 4  # binary digits behind the point in coordinates for OpenCV
# Hair from black to fair, red, grey and white; RGB.
HAIR = np.array(
    [[25, 20, 20], [45, 30, 25], [70, 48, 35], [110, 75, 45], [170, 130, 85], [210, 180, 130],
     [120, 60, 35], [150, 145, 140], [12, 12, 14], [60, 40, 40], [190, 186, 182], [230, 226, 220]],
    np.float32,
)  # fmt: skip


@dataclass(kw_only=True)
class Scene:
    """A face, what has been drawn over it, and dice. ``donors`` are other people of its fold."""

    base: Base
    donors: Sequence[Base]
    picture: Floats
    labels: npt.NDArray[np.uint8]
    dice: np.random.Generator

    def place(self, *at: Sequence[float]) -> AnyArray:
        """Map points (x, y, z) of the mean face to n×2 pixels of the square."""
        points = np.asarray(at, np.float64)
        return np.column_stack([points, np.ones(len(points))]) @ self.base.projection

    def donor(self) -> Base:
        """Return one of the other people."""
        return self.donors[int(self.dice.integers(len(self.donors)))]

    def happens(self, chance: float) -> bool:
        """Return True in this share of cases."""
        return bool(self.dice.random() < chance)

    def between(self, low: float, high: float) -> float:
        """Return an evenly distributed number."""
        return float(self.dice.uniform(low, high))

    def noise(self, sigma: float) -> Floats:
        """Return smooth noise (192×192×1) of about unit variance."""
        coarse = max(1, int(sigma))
        side = SIDE // coarse + 1
        small = self.dice.standard_normal((side, side), np.float32)
        noise = cv2.resize(small, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
        return np.asarray(cv2.GaussianBlur(noise, (0, 0), max(sigma / 2, 0.3)), np.float32)[
            ..., None
        ]

    def lay(self, alpha: Floats, colour: Floats | float, label: int | None = None) -> None:
        """Lay a colour over the picture; label what it covers well, ignore what it covers half."""
        self.picture = self.picture + (colour - self.picture) * alpha[..., None]
        if label is not None:
            self.mark(alpha, label)

    def mark(self, alpha: Floats, label: int) -> None:
        """Label what a thing covers well, and ignore what it covers half."""
        self.labels[(alpha > 0.12) & (alpha <= 0.45) & (self.labels != label)] = IGNORED
        self.labels[alpha > 0.45] = label

    def shade(self, alpha: Floats, strength: Floats | float) -> None:
        """Darken the picture: a shadow is still what it falls on."""
        self.picture = self.picture * (1 - alpha[..., None] * strength)

    def drop_shadow(self, alpha: Floats, chance: float = 0.6) -> None:
        """Let a thing cast its shadow, close below it."""
        if not self.happens(chance):
            return
        soft = cv2.GaussianBlur(alpha, (0, 0), self.between(0.8, 4))
        move = np.array([[1, 0, self.between(-3, 3)], [0, 1, self.between(0, 5)]])
        soft = cv2.warpAffine(soft, move, (SIDE, SIDE))
        self.shade(np.asarray(soft, np.float32), self.between(0.1, 0.55))

    def texture(self) -> Floats:
        """Return an even colour, or a patch of a donor's photo (192×192×3)."""
        if self.happens(0.3):
            tile = np.full((SIDE, SIDE, 3), self.dice.uniform(5, 250, 3), np.float32)
        else:
            wide = self.donor().wide
            side = int(self.dice.integers(30, 160))
            x, y = self.dice.integers(0, len(wide) - side, 2)
            if self.happens(0.7):  # beside the face: hair, clothes, background
                x = int(self.dice.choice([0, len(wide) - side]))
            tile = cv2.resize(wide[y : y + side, x : x + side], (SIDE, SIDE)).astype(np.float32)
            if self.happens(0.5):
                tile = tile * self.between(0.4, 1.3) + self.between(-40, 40)
        slope = np.linspace(self.between(-25, 25), self.between(-25, 25), SIDE, dtype=np.float32)
        tile += slope[:, None, None] if self.happens(0.5) else slope[None, :, None]
        tile += self.noise(self.between(0.5, 4)) * self.between(0, 25)
        return np.clip(tile, 0, 255)


def line(points: AnyArray, width: float, *, closed: bool = False) -> Floats:
    """Return the coverage (192×192, 0…1) of a line through n×2 points."""
    return lines([points], width, closed=closed)


def lines(
    every: Sequence[AnyArray],
    width: float,
    *,
    closed: bool = False,
    strengths: Sequence[float] | None = None,
) -> Floats:
    """Return the coverage of several lines, each as strong as its strength says (0…1)."""
    canvas = _canvas()
    thick = max(1, round(width * _FINE))
    for index, points in enumerate(every):
        value = int(255 * strengths[index]) if strengths else 255
        cv2.polylines(canvas, [_fixed(points)], closed, value, thick, cv2.LINE_AA, _SHIFT)
    return _reduced(canvas)


def area(points: AnyArray) -> Floats:
    """Return the coverage of a polygon."""
    canvas = _canvas()
    cv2.fillPoly(canvas, [_fixed(points)], 255, cv2.LINE_AA, _SHIFT)
    return _reduced(canvas)


def ellipse(centre: AnyArray, radii: tuple[float, float], degrees: float = 0) -> Floats:
    """Return the coverage of an ellipse."""
    t = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    a = np.radians(degrees)
    turn = np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])
    return area(np.column_stack([radii[0] * np.cos(t), radii[1] * np.sin(t)]) @ turn + centre)


def floats(values: npt.ArrayLike) -> Floats:
    """Return values as float32."""
    return np.asarray(values, np.float32)


def blurred(alpha: Floats, sigma: float) -> Floats:
    """Return a coverage with soft edges."""
    return np.asarray(cv2.GaussianBlur(alpha, (0, 0), sigma), np.float32)


def _canvas() -> npt.NDArray[np.uint8]:
    return np.zeros((SIDE * _FINE, SIDE * _FINE), np.uint8)


def _fixed(points: AnyArray) -> npt.NDArray[np.int32]:
    limited = np.clip(np.asarray(points, np.float64), -2 * SIDE, 3 * SIDE)
    return np.asarray(np.round(limited * _FINE * 2**_SHIFT), np.int32)


def _reduced(canvas: npt.NDArray[np.uint8]) -> Floats:
    small = cv2.resize(canvas, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return floats(small) / np.float32(255)
