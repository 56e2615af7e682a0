"""From a picture to its faces: detect, verify by the landmarks, keep each once."""

import math
from pathlib import Path

import numpy as np

from swaps.engines.classical.blazeface import eye_line, upside_down
from swaps.engines.classical.detect import Detector
from swaps.engines.classical.landmarks import Landmarker
from swaps.engines.classical.pyramid import Pyramid
from swaps.engines.classical.types import AnyArray, Face, Floats, Landmarks, Picture
from swaps.engines.classical.whole import is_whole

_IS_FACE = 0.5  # landmark score of a face that is upright and found at once
_IS_UNUSUAL_FACE = 0.95  # of any other: the more one looks, the more evidence one needs
_DOUBTFUL, _BETTER = 0.98, 0.1  # landmarks that are the right way up nearly always reach .99
_SAME_WAY = math.radians(60)
# Turned by quarters to the left, and how deep: from what is usual to what is rare and dear.
_SEARCHES = ((0, 0), (2, 0), (1, 0), (3, 0), (0, 1), (0, 2))


class FaceFinder:
    def __init__(self, folder: Path, threads: int) -> None:
        self._detect = Detector(folder, threads)
        self._landmarks = Landmarker(folder, threads)

    def largest(
        self, picture: Picture, *, must_be_whole: bool = False, hidden: AnyArray | None = None
    ) -> tuple[Face | None, int]:
        """The largest face, if there is one, and how many there are.

        A face that must be whole shows its eyes, nose and mouth, outside of ``hidden`` (H×W,
        true where the picture is transparent), and is of one person.
        """
        pyramid = Pyramid(picture)
        faces = self._search(pyramid)
        wanted = (f for f in faces if not must_be_whole or is_whole(f, pyramid, hidden))
        largest = next(wanted, None)
        if largest is None:
            return None, len(faces)
        landmarks = self._landmarks.refine(pyramid, largest)
        irises = self._landmarks.irises(pyramid, landmarks)
        return Face(landmarks=landmarks, irises=irises), len(faces)

    def all(self, picture: Picture) -> list[Landmarks]:
        """All faces (rough landmarks), largest first."""
        return self._search(Pyramid(picture))

    def _search(self, pyramid: Pyramid) -> list[Landmarks]:
        """What the first search finds that finds anything; largest first."""
        for quarters, depth in _SEARCHES:
            found = []
            for detection in self._detect(pyramid, quarters=quarters, depth=depth):
                is_usual = (quarters, depth) == _SEARCHES[0]
                landmarks = self._locate(pyramid, detection, is_usual=is_usual)
                if landmarks is not None:
                    found.append(landmarks)
            if found:
                return without_twins(found)
        return []

    def _locate(self, pyramid: Pyramid, detection: Floats, *, is_usual: bool) -> Landmarks | None:
        """The landmarks of a detection, if it is a face; where they fit badly, the other way up."""
        landmarks, score = self._landmarks.locate(pyramid, detection)
        if score < _DOUBTFUL:
            turned = upside_down(detection)
            others, other_score = self._landmarks.locate(pyramid, turned)
            if other_score > score + _BETTER:
                landmarks, score, detection = others, other_score, turned
        is_usual = is_usual and abs(eye_line(detection)) <= _SAME_WAY
        is_face = score >= (_IS_FACE if is_usual else _IS_UNUSUAL_FACE)
        return landmarks if is_face and _is_same_way(landmarks, detection) else None


def _is_same_way(landmarks: Landmarks, detection: Floats) -> bool:
    """Whether both are upright at about the same angle."""
    right, left = landmarks[33], landmarks[263]
    angle = math.atan2(left[1] - right[1], left[0] - right[0])
    return abs(math.remainder(angle - eye_line(detection), math.tau)) <= _SAME_WAY


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
