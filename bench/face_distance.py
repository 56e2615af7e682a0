"""Computes face distances for quality.py, in the bench venv.

Reads [[result, source, target], …] as JSON from stdin, and writes the distances as JSON.
"""

import json
import sys

import dlib  # type: ignore[import-not-found]
import face_recognition_models as weights  # type: ignore[import-not-found]
import numpy as np
from PIL import Image

detect = dlib.get_frontal_face_detector()
locate = dlib.shape_predictor(weights.pose_predictor_model_location())
network = dlib.face_recognition_model_v1(weights.face_recognition_model_location())


def descriptor(path: str) -> np.ndarray | None:
    """Return the descriptor (128 numbers) of the largest face: the mean over ten jittered crops."""
    picture = np.asarray(Image.open(path).convert("RGB"))
    faces = detect(picture, 0) or detect(picture, 1)
    if not faces:
        return None
    face = max(faces, key=lambda box: box.area())
    return np.array(network.compute_face_descriptor(picture, locate(picture, face), 10))


def distances(triple: list[str]) -> list[float | None]:
    """Return the distances of the result to source and to target; None where no face is found."""
    result, *others = (descriptor(path) for path in triple)
    return [
        None if result is None or other is None else float(np.linalg.norm(result - other))
        for other in others
    ]


json.dump([distances(triple) for triple in json.load(sys.stdin)], sys.stdout)
