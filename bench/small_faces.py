"""Benchmark of small faces: how many are found, and how many faces are seen where there are none.

    python -m bench.small_faces [PHOTOS]      (default: ../shared/photos; subfolders count)

Every photo of one person is reduced until the face (the longer side of its landmarks' box) has 20,
22, 24, 28, 32 px. It is searched alone, and put into a faceless picture of 1200 × 900 px. A face
counts as found if the centre of one is less than .3 of its size away and its size is right to a
factor of 1.5.

Pictures without a face are what the photos show left of, right of and below their faces, in three
sizes. The time is CPU time of one core.
"""

import itertools
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from bench._setup import ROOT, report
from swaps.engines.classical import DetectedFace, Engine

SIZES = (20, 22, 24, 28, 32)
SIDE = 1600  # pixels: what larger photos are reduced to
SCENE = (1200, 900)
SCALES = (1.0, 0.5, 0.25)  # of faceless pictures
CLEAR = 0.6  # of the face's size: the margin around it that shows hair, ears and neck


def main() -> None:
    photos = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT.parent / "shared" / "photos")
    engine = Engine(ROOT / "var" / "models")
    portraits = list(_portraits(engine, photos))
    faceless = [part for photo, face in portraits for part in _without_face(photo, face)]
    scenes = itertools.cycle(_scene(part) for part in faceless if min(part.size) > 300)
    found: Counter[str] = Counter()
    started = time.process_time()
    for photo, face in portraits:
        for size in SIZES:
            factor = size / face.size
            small = photo.resize([max(1, round(side * factor)) for side in photo.size], _AREA)
            x, y, width, height = (side * factor for side in face.box)
            centre = np.array([x + width / 2, y + height / 2])
            found[f"{size} px alone"] += _is_found(engine.faces(small), centre, size)
            scene, corner = next(scenes).copy(), (700, 350)
            scene.paste(small, corner)
            found[f"{size} px in a scene"] += _is_found(engine.faces(scene), centre + corner, size)
    figures: dict[str, object] = {"photos": len(portraits)}
    figures |= {name: found[name] for name in sorted(found, key=lambda name: name[6:] + name)}
    figures["seconds a picture"] = round(
        (time.process_time() - started) / (2 * len(SIZES) * len(portraits)), 3
    )
    started = time.process_time()
    false = [
        faces[0].size
        for part in faceless
        for scale in SCALES
        if (faces := engine.faces(_scaled(part, scale)))
    ]
    figures["faceless pictures"] = len(faceless) * len(SCALES)
    figures["of these with a face"] = len(false)
    figures["sizes of these"] = json.dumps(sorted(map(round, false)))
    figures["seconds a faceless picture"] = round(
        (time.process_time() - started) / max(1, len(faceless) * len(SCALES)), 3
    )
    report("small_faces", figures)


_AREA = Image.Resampling.BOX


def _portraits(engine: Engine, photos: Path) -> Iterator[tuple[Image.Image, DetectedFace]]:
    for path in sorted(photos.rglob("*.jpg")):
        with Image.open(path) as image:
            image.thumbnail((SIDE, SIDE))
            photo = image.convert("RGB")
        faces = engine.faces(photo)
        if len(faces) == 1:
            yield photo, faces[0]


def _without_face(photo: Image.Image, face: DetectedFace) -> Iterator[Image.Image]:
    x, y, width, height = face.box
    margin = CLEAR * face.size
    left, right, bottom = x - margin, x + width + margin, y + height + margin
    for box in (
        (0, 0, left, photo.height),
        (right, 0, photo.width, photo.height),
        (0, bottom, photo.width, photo.height),
    ):
        if min(box[2] - box[0], box[3] - box[1]) >= 64:
            yield photo.crop(box)


def _scene(part: Image.Image) -> Image.Image:
    return part.resize(SCENE, Image.Resampling.BILINEAR)


def _scaled(part: Image.Image, scale: float) -> Image.Image:
    return part.resize([max(1, round(side * scale)) for side in part.size], _AREA)


def _is_found(faces: list[DetectedFace], centre: np.ndarray, size: float) -> bool:
    for face in faces:
        x, y, width, height = face.box
        distance = np.linalg.norm(np.array([x + width / 2, y + height / 2]) - centre)
        if distance < 0.3 * size and size / 1.5 < face.size < size * 1.5:
            return True
    return False


if __name__ == "__main__":
    main()
