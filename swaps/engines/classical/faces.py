"""Finds the faces of a picture: detects, verifies by the landmarks, and removes duplicates."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from swaps.engines.classical.blazeface import eye_angle, rotated_by_180
from swaps.engines.classical.detect import Detector
from swaps.engines.classical.landmarks import Landmarker
from swaps.engines.classical.pyramid import Pyramid
from swaps.engines.classical.types import AnyArray, Face, Floats, Landmarks, Picture
from swaps.engines.classical.whole import is_whole

_MIN_SCORE = 0.5  # landmark score of an upright face that the first search finds
_MIN_UNUSUAL_SCORE = 0.95  # of others: more searches find more false positives
_DOUBTFUL, _BETTER = 0.98, 0.1  # landmarks the right way up nearly always score .99
_SAME_WAY = math.radians(60)
_MAX_FACES = 64
# Quarter turns to the left, and depth: from common and cheap to rare and expensive.
_SEARCHES = ((0, 0), (2, 0), (1, 0), (3, 0), (0, 1), (0, 2))


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A picture, reduced as often as needed, and the rough landmarks of its faces, largest first.

    ``hidden``: H×W, True where the picture is transparent; or None.
    """

    pyramid: Pyramid
    faces: list[Landmarks]
    hidden: AnyArray | None

    @property
    def shape(self) -> tuple[int, int]:
        """The rows and columns of the picture."""
        rows, columns = self.pyramid[0].shape[:2]
        return rows, columns

    def is_whole(self, landmarks: Landmarks) -> bool:
        """Return whether eyes, nose and mouth can be seen, and belong to one person."""
        return is_whole(landmarks, self.pyramid, self.hidden)


class FaceFinder:
    """Finds the faces of a picture, with their landmarks."""

    def __init__(self, folder: Path, threads: int) -> None:
        self._detect = Detector(folder, threads)
        self._landmarks = Landmarker(folder, threads)

    def search(self, picture: Picture, hidden: AnyArray | None = None) -> Scene:
        """Return the picture with the faces of the first search that finds any, at most 64."""
        pyramid = Pyramid(picture)
        return Scene(pyramid=pyramid, faces=self._search(pyramid), hidden=hidden)

    def refine(self, scene: Scene, landmarks: Landmarks) -> Face:
        """Return one of the scene's faces with its exact landmarks and its irises."""
        refined = self._landmarks.refine(scene.pyramid, landmarks)
        return Face(landmarks=refined, irises=self._landmarks.irises(scene.pyramid, refined))

    def largest(self, picture: Picture, *, must_be_whole: bool = False) -> tuple[Face | None, int]:
        """Return the largest face (that is whole), or None, and how many faces there are."""
        scene = self.search(picture)
        wanted = (f for f in scene.faces if not must_be_whole or scene.is_whole(f))
        face = next(wanted, None)
        return None if face is None else self.refine(scene, face), len(scene.faces)

    def all(self, picture: Picture) -> list[Landmarks]:
        """Return the rough landmarks of all faces, largest first."""
        return self.search(picture).faces

    def _search(self, pyramid: Pyramid) -> list[Landmarks]:
        for quarters, depth in _SEARCHES:
            found = []
            for detection in _largest_first(self._detect(pyramid, quarters=quarters, depth=depth)):
                is_usual = (quarters, depth) == _SEARCHES[0]
                landmarks = self._locate(pyramid, detection, is_usual=is_usual)
                if landmarks is not None:
                    found.append(landmarks)
            if found:
                return without_duplicates(found)
        return []

    def _locate(self, pyramid: Pyramid, detection: Floats, *, is_usual: bool) -> Landmarks | None:
        """Return the landmarks of a detection, or None if it is no face.

        Where they fit badly, the detection is also tried the other way up.
        """
        landmarks, score = self._landmarks.locate(pyramid, detection)
        if score < _DOUBTFUL:
            turned = rotated_by_180(detection)
            others, other_score = self._landmarks.locate(pyramid, turned)
            if other_score > score + _BETTER:
                landmarks, score, detection = others, other_score, turned
        is_usual = is_usual and abs(eye_angle(detection)) <= _SAME_WAY
        is_face = score >= (_MIN_SCORE if is_usual else _MIN_UNUSUAL_SCORE)
        return landmarks if is_face and _is_same_way(landmarks, detection) else None


def _largest_first(found: Floats) -> Floats:
    """Return at most ``_MAX_FACES`` detections, so that a crowd takes seconds and not minutes."""
    areas = (found[:, 2:4] - found[:, :2]).prod(1)
    return found[np.argsort(-areas, kind="stable")][:_MAX_FACES]


def _is_same_way(landmarks: Landmarks, detection: Floats) -> bool:
    """Return whether landmarks and detection agree about the way up."""
    right, left = landmarks[33], landmarks[263]
    angle = math.atan2(left[1] - right[1], left[0] - right[0])
    return abs(math.remainder(angle - eye_angle(detection), math.tau)) <= _SAME_WAY


def without_duplicates(faces: list[Landmarks]) -> list[Landmarks]:
    """Return the faces, largest first, without those centred on nearly the same point."""
    kept: list[Landmarks] = []
    for face in sorted(faces, key=lambda face: -float(np.ptp(face[:, :2], axis=0).prod())):
        centre = face[:, :2].mean(0)
        if all(
            np.linalg.norm(centre - other[:, :2].mean(0)) > 0.3 * np.ptp(other[:, 0])
            for other in kept
        ):
            kept.append(face)
    return kept
