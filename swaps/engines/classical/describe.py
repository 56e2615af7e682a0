"""Describes the faces of a picture for people who choose one, and advises on each."""

from collections.abc import Callable

import numpy as np

from swaps.engines.classical.faces import Scene
from swaps.engines.classical.geometry import pose
from swaps.engines.classical.mesh import INNER, LEFT_EYE, RIGHT_EYE
from swaps.engines.classical.parse import GLASSES, OTHER, Parse
from swaps.engines.classical.portrait import portrait
from swaps.engines.classical.types import DetectedFace, Floats, Landmarks, Picture

# As the warnings of a finished swap, but of one face alone (`quality.warnings`).
_SMALL = 96.0  # pixels
_BLURRED, _JUDGED = 0.27, 48.0  # sharpness, and the pixels below which it says little
_DARK = 40.0  # L
_TURNED = 35.0  # degrees
_COVERED = 0.12  # of the inner face
_CUT = 0.04  # of the box: so much of it may lie outside the picture
_PARSED = 6  # faces: of the others in a crowd nobody asks what covers them


def describe(
    landmarks: Landmarks, scene: Scene, parse: Callable[[Picture, Landmarks], Parse]
) -> DetectedFace:
    """Return one of the scene's faces with its measures and the advice about it."""
    low, high = landmarks[:, :2].min(0), landmarks[:, :2].max(0)
    x, y = low.tolist()
    width, height = (high - low).tolist()
    head, look = pose(landmarks), portrait(scene.pyramid, landmarks)
    covered, eyes_hidden = _in_front(landmarks, scene, parse)
    rows, columns = scene.shape
    shown = np.minimum(high, [columns, rows]) - np.maximum(low, 0)
    is_whole = scene.is_whole(landmarks)
    found = {
        "cut": not is_whole or float(shown.prod()) < (1 - _CUT) * width * height,
        "small": look.size < _SMALL,
        "blurred": look.own_sharpness < _BLURRED and look.size >= _JUDGED,
        "dark": look.light < _DARK,
        "turned": max(abs(head.yaw), abs(head.pitch)) > _TURNED,
        "sunglasses": eyes_hidden > 0.5,
        "covered": covered > _COVERED,
        "several": len(scene.faces) > 1,
    }
    return DetectedFace(
        box=(x, y, width, height),
        size=look.size,
        landmarks=landmarks,
        yaw=head.yaw,
        pitch=head.pitch,
        roll=head.roll,
        sharpness=look.own_sharpness,
        light=look.light,
        covered=covered,
        eyes_hidden=eyes_hidden,
        is_whole=is_whole,
        advice=tuple(code for code, applies in found.items() if applies),
    )


def _in_front(
    landmarks: Landmarks, scene: Scene, parse: Callable[[Picture, Landmarks], Parse]
) -> tuple[float, float]:
    """Return how much of the inner face is covered, and how surely an eye is; 0 in a crowd."""
    if not any(landmarks is face for face in scene.faces[:_PARSED]):
        return 0.0, 0.0
    found = parse(scene.pyramid[0], landmarks).at(landmarks[None, :, :2])[0]
    covered = found[INNER > 0.5, OTHER]
    eyes = (_middle(found[ring, GLASSES]) for ring in (RIGHT_EYE, LEFT_EYE))
    return float((covered > 0.5).mean()), max(eyes)


def _middle(values: Floats) -> float:
    return float(np.median(values))
