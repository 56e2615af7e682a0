"""The words of the engine. Arrays are RGB; points are x, y (, z) in pixels, x to the right."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]  # H×W×3, RGB
Floats = npt.NDArray[np.float32]
Landmarks = npt.NDArray[np.float32]  # 468×3, pixels; z has the scale of x, smaller is nearer
Mask = npt.NDArray[np.float32]  # H×W, 0…1
Ints = npt.NDArray[np.int32]
AnyArray = npt.NDArray[Any]  # what a caller hands over, before it is checked


class NoFace(Exception):
    """No face was found in one of the two pictures."""

    def __init__(self, image: Literal["source", "target"]) -> None:
        super().__init__(f"no face was found in the {image} picture")
        self.image: Literal["source", "target"] = image


class ModelError(Exception):
    """A model file is missing or is not the one that was published."""


@dataclass(frozen=True, kw_only=True)
class SwapOutput:
    """``image`` is uint8 and has the target's mode; ``warnings`` are codes: ``"yaw"``."""

    image: Picture
    warnings: tuple[str, ...]
    faces_in_source: int
    faces_in_target: int


@dataclass(frozen=True, kw_only=True)
class Face:
    """``irises`` 2×2: the centres of the right and of the left iris, pixels."""

    landmarks: Landmarks
    irises: Floats

    def moved(self, scale: tuple[float, float], origin: tuple[float, float]) -> "Face":
        """The same face in a picture cut at ``origin`` and then resized by ``scale``."""
        sx, sy = scale
        factors = np.array([sx, sy, (sx + sy) / 2])
        shift = np.array([*origin, 0.0])
        return Face(
            landmarks=((self.landmarks - shift) * factors).astype(np.float32),
            irises=((self.irises - shift[:2]) * factors[:2]).astype(np.float32),
        )
