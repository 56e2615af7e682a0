"""Draws what the parse network sees in a face, over the photo.

    python -m bench.pictures.parse_map OUT PHOTO…      (a row of photos and one of their parses)

Beards are brown, glasses blue, other things in front red; the surer, the stronger.
"""

import sys
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from bench.pictures import faces
from swaps.engines.classical import Engine
from swaps.engines.classical.parse import BEARD, GLASSES, OTHER
from swaps.engines.classical.types import Landmarks, Picture

COLOURS = {BEARD: (150, 90, 30), GLASSES: (30, 90, 230), OTHER: (220, 40, 40)}
_SIDE = 240  # pixels of a face in the picture of the command line
_REACH = 1.12  # of the face
_STRENGTH = 0.75  # of the colour where the network is sure


def draw(engine: Engine, picture: Picture, face: Landmarks) -> Picture:
    """Return the picture (H×W×3 uint8) with the parse of the face with these landmarks over it."""
    parse = engine._parse(picture, face)  # noqa: SLF001
    rows, columns = np.mgrid[0 : picture.shape[0], 0 : picture.shape[1]].astype(np.float32) + 0.5
    found = parse.at(np.stack([columns, rows], -1))
    # Farther away the network has learnt nothing.
    hull = cv2.convexHull(face[:, :2].astype(np.float32))[:, 0]
    middle = hull.mean(0)
    around = np.round(middle + _REACH * (hull - middle)).astype(np.int32)
    inside = np.zeros(picture.shape[:2], np.uint8)
    cv2.fillPoly(inside, [around], 1)
    drawn = picture.astype(np.float32)
    for kind, colour in COLOURS.items():
        weight = (_STRENGTH * found[..., kind] * inside)[..., None]
        drawn += weight * (np.array(colour, np.float32) - drawn)
    return np.asarray(np.clip(drawn + 0.5, 0, 255), np.uint8)


def main(out: Path, photos: list[Path]) -> None:
    engine = Engine(faces.MODELS)
    sheet = Image.new("RGB", (_SIDE * len(photos), 2 * _SIDE))
    for column, photo in enumerate(photos):
        picture = faces.read(photo)
        face = faces.landmarks(engine, picture)
        if face is None:
            raise SystemExit(f"no face in {photo}")
        for row, shown in enumerate((picture, draw(engine, picture, face))):
            sheet.paste(faces.crop(shown, face, _SIDE), (column * _SIDE, row * _SIDE))
    sheet.save(out)


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
