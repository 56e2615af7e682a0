"""From a picture to its faces: detect, verify by the landmarks, keep each once."""

from pathlib import Path

import numpy as np

from swaps.engine.detect import Detector
from swaps.engine.landmarks import Landmarker
from swaps.engine.types import Face, Landmarks, Picture

_IS_FACE = 0.5


class FaceFinder:
    def __init__(self, folder: Path, threads: int) -> None:
        self._detect = Detector(folder, threads)
        self._landmarks = Landmarker(folder, threads)

    def largest(self, picture: Picture) -> tuple[Face | None, int]:
        """The largest face, if there is one, and how many there are."""
        found = []
        for detection in self._detect(picture):
            landmarks, score = self._landmarks.locate(picture, detection)
            if score >= _IS_FACE:
                found.append(landmarks)
        faces = without_twins(found)
        if not faces:
            return None, 0
        landmarks = self._landmarks.refine(picture, faces[0])
        irises = self._landmarks.irises(picture, landmarks)
        return Face(landmarks=landmarks, irises=irises), len(faces)


def without_twins(faces: list[Landmarks]) -> list[Landmarks]:
    """Largest first; of faces with nearly the same centre only the largest."""
    kept: list[Landmarks] = []
    for face in sorted(faces, key=lambda face: -float(np.ptp(face[:, :2], axis=0).prod())):
        centre = face[:, :2].mean(0)
        if all(
            np.linalg.norm(centre - other[:, :2].mean(0)) > 0.3 * np.ptp(other[:, 0])
            for other in kept
        ):
            kept.append(face)
    return kept
