"""Benchmark of choosing: whether the face that is tapped is the face that is swapped.

    python -m bench.tapped [PHOTOS]      (default: ../shared/photos; subfolders count)

Faces are searched in all photos. Each face of a photo of several people is tapped in the middle of
its box. It counts when it changes and nothing beyond its box does; and all faces of such a photo
are swapped in one pass.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from bench._setup import ROOT, report
from swaps.engines.classical import DetectedFace, Engine
from swaps.engines.classical.types import AnyArray, Picture

SOURCE = ROOT / "tests" / "photos" / "face-man-frontal.jpg"
SIDE = 1600  # pixels: what larger photos are reduced to


def main() -> None:
    photos = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT.parent / "shared" / "photos")
    engine, source = Engine(ROOT / "var" / "models"), _open(SOURCE)
    faceless, groups, tapped, right, together = [], 0, 0, 0, 0
    for path in sorted(photos.rglob("*.jpg")):
        photo = _open(path)
        faces = engine.faces(photo)
        if not faces:
            faceless.append(path.stem)
        if len(faces) < 2:
            continue
        groups += 1
        for face in faces:
            result = engine.swap(source, photo, pairs=[(None, _middle(face, photo))]).image
            tapped += 1
            right += _changed_within(result, photo, [face])
        everybody = engine.swap(source, photo, pairs=[(None, "all")]).image
        together += _changed_within(everybody, photo, faces)
    figures: dict[str, object] = {
        "photos without a face found": ", ".join(faceless),
        "photos of several people": groups,
        "faces tapped": tapped,
        "of these swapped, and nothing else": right,
        "photos whose faces were all swapped in one pass": together,
    }
    report("tapped", figures)


def _open(path: Path) -> Picture:
    with Image.open(path) as image:
        image.thumbnail((SIDE, SIDE))
        return np.asarray(image.convert("RGB"))


def _middle(face: DetectedFace, photo: Picture) -> tuple[float, float]:
    x, y, width, height = face.box
    return (x + width / 2) / photo.shape[1], (y + height / 2) / photo.shape[0]


def _changed_within(result: AnyArray, photo: Picture, faces: list[DetectedFace]) -> bool:
    """Return whether a fifth or more of each face's box changed, and nothing beyond these boxes."""
    changed = (result != photo).any(-1)
    boxes = [_box(face) for face in faces]
    is_each_changed = all(changed[box].mean() > 0.2 for box in boxes)
    for box in boxes:
        changed[box] = False
    return is_each_changed and not changed.any()


def _box(face: DetectedFace) -> tuple[slice, slice]:
    """Return a little more than the face's box: exact landmarks differ from the search's."""
    x, y, width, height = face.box
    margin = 0.1 * face.size
    return (
        slice(max(0, round(y - margin)), round(y + height + margin)),
        slice(max(0, round(x - margin)), round(x + width + margin)),
    )


if __name__ == "__main__":
    main()
