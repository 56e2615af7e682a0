"""Tells for each pixel of a face what it shows: bare face, beard, glasses, or something in front.

A small U-Net of our own (273,000 weights), trained on photographs with drawn glasses, hair, hands
and things (``make train-parse``). It sees an upright square around the face: Lab relative to the
skin, and maps of the mesh.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter

from swaps.engines.classical.filters import lab
from swaps.engines.classical.frames import sureness_of_glasses
from swaps.engines.classical.geometry import pose
from swaps.engines.classical.square import channels, cut, maps_of, to_square
from swaps.engines.classical.types import AnyArray, Floats, Landmarks, Picture

PARSE_MODEL = Path(__file__).with_name("parse.tflite")
BARE, BEARD, GLASSES, OTHER = range(4)


@dataclass(frozen=True, kw_only=True)
class Parse:
    """The parse of one face.

    ``maps`` (192×192×4) are probabilities in an upright square, ``to_square`` (2×3) maps the
    picture to it; ``glasses``, 0…1, is how sure it is that the face wears some.
    """

    maps: Floats
    glasses: float
    to_square: AnyArray

    def at(self, positions: Floats) -> Floats:
        """Return the probabilities (H×W×4) at H×W×2 positions, in pixels of the picture."""
        matrix = self.to_square.astype(np.float32)
        x, y = positions[..., 0], positions[..., 1]
        u = matrix[0, 0] * x + (matrix[0, 1] * y + (matrix[0, 2] - np.float32(0.5)))
        v = matrix[1, 0] * x + (matrix[1, 1] * y + (matrix[1, 2] - np.float32(0.5)))
        return np.asarray(
            cv2.remap(self.maps, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE),
            np.float32,
        )


class Parser:
    """Runs the network; create it once per process."""

    def __init__(self, path: Path, threads: int) -> None:
        self._net = Interpreter(str(path), num_threads=threads)
        self._net.allocate_tensors()
        inputs = sorted(self._net.get_input_details(), key=lambda d: -d["shape"][1])
        self._colour, self._maps = (detail["index"] for detail in inputs)
        self._out = self._net.get_output_details()[0]["index"]

    def __call__(self, picture: Picture, landmarks: Landmarks) -> Parse:
        """Parse the face with these landmarks, in pixels of the picture."""
        to = to_square(landmarks)
        mesh = maps_of(landmarks[:, :2] @ to[:, :2].T + to[:, 2])
        square = cut(picture, to)
        colour, maps = channels(square, mesh)
        self._net.set_tensor(self._colour, colour[None])
        self._net.set_tensor(self._maps, maps[None])
        self._net.invoke()
        found = np.array(self._net.get_tensor(self._out)[0], np.float32)
        glasses = sureness_of_glasses(
            found[..., GLASSES], lab(square)[..., 0], mesh, pose(landmarks).yaw
        )
        return Parse(maps=found, glasses=glasses, to_square=to)
