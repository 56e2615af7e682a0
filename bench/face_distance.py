"""Computes face distances for quality.py, in the bench venv.

    python face_distance.py DESCRIPTORS

Reads [[result, source, target], …] as JSON from stdin, and writes the distances as JSON. A picture
takes a second, and its jitter changes from call to call, so descriptors are kept in DESCRIPTORS
(JSON, by the SHA-256 of the pixels): pictures that are equal are equally far.
"""

import hashlib
import json
import sys
from functools import cache
from pathlib import Path

import dlib  # type: ignore[import-not-found]
import face_recognition_models as weights  # type: ignore[import-not-found]
import numpy as np
from PIL import Image

detect = dlib.get_frontal_face_detector()
locate = dlib.shape_predictor(weights.pose_predictor_model_location())
network = dlib.face_recognition_model_v1(weights.face_recognition_model_location())
store = Path(sys.argv[1])
known = json.loads(store.read_text(encoding="utf-8")) if store.exists() else {}


@cache
def descriptor(path: str) -> np.ndarray | None:
    """Return the descriptor (128 numbers) of the largest face, or None."""
    picture = np.asarray(Image.open(path).convert("RGB"))
    name = hashlib.sha256(picture.tobytes()).hexdigest()
    if name not in known:
        known[name] = compute(picture)
    return None if known[name] is None else np.array(known[name])


def compute(picture: np.ndarray) -> list[float] | None:
    """Return the mean descriptor over ten jittered crops."""
    faces = detect(picture, 0) or detect(picture, 1)
    if not faces:
        return None
    face = max(faces, key=lambda box: box.area())
    return list(network.compute_face_descriptor(picture, locate(picture, face), 10))


def distances(triple: list[str]) -> list[float | None]:
    """Return the distances of the result to source and to target; None where no face is found."""
    result, *others = (descriptor(path) for path in triple)
    return [
        None if result is None or other is None else float(np.linalg.norm(result - other))
        for other in others
    ]


json.dump([distances(triple) for triple in json.load(sys.stdin)], sys.stdout)
store.write_text(json.dumps(known), encoding="utf-8")
