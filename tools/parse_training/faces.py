"""The photographed faces of the training: which they are, whose fold, and their labels."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from swaps.engines.classical.faces import FaceFinder
from swaps.engines.classical.mesh import CANONICAL
from swaps.engines.classical.square import SIDE, Maps, cut, maps_of, to_square
from swaps.engines.classical.types import AnyArray, Floats, Landmarks, Picture

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
BARE, BEARD, GLASSES, OTHER = range(4)
IGNORED = 255  # a label: too doubtful to learn from or to judge by
FOLDS = 3


@dataclass(frozen=True, kw_only=True)
class Face:
    """A face of ``faces.json``; ``fold`` is the one whose network has not seen this person."""

    name: str
    photo: str
    face: int  # 0 is the largest of the photo
    fold: int
    kinds: tuple[str, ...]  # of glasses, dark lenses, beard, stubble
    skin: str  # dark or fair
    licence: str


@dataclass(frozen=True, kw_only=True)
class Base:
    """A face to draw on: its square, labels and maps, and how the mesh stands in it."""

    face: Face
    picture: Floats  # 192×192×3, RGB 0…255
    wide: Picture  # the same square with 384×384 pixels, for textures
    labels: AnyArray  # 192×192 uint8
    maps: Maps
    points: AnyArray  # 468×2, pixels of the square
    projection: AnyArray  # 4×2: from (x, y, z, 1) of the mean face to the square
    skin: Floats  # median RGB


@cache
def faces() -> tuple[Face, ...]:
    """Return all labelled faces."""
    rows = json.loads((HERE / "faces.json").read_text(encoding="utf-8"))
    return tuple(Face(**{**row, "kinds": tuple(row["kinds"])}) for row in rows)


@cache
def labels_of(name: str) -> AnyArray:
    """Return a face's labels (192×192 uint8): 0…3, or 255 where they are doubtful."""
    with np.load(HERE / "labels.npz") as labels:
        return np.asarray(labels[name])


def find(face: Face, photos: Path) -> tuple[Picture, Landmarks]:
    """Return the photo of a face (H×W×3 uint8) and its landmarks (468×3)."""
    path = next(
        p for p in (photos / f"{face.photo}.jpg", photos / "more" / f"{face.photo}.jpg")
        if p.exists()
    )  # fmt: skip
    with Image.open(path) as image:
        picture = np.asarray(image.convert("RGB"))
    scene = _finder().search(picture)
    return picture, _finder().refine(scene, scene.faces[face.face]).landmarks


def load(face: Face, photos: Path) -> Base:
    """Return a face ready to be drawn on."""
    picture, landmarks = find(face, photos)
    to = to_square(landmarks)
    points = landmarks[:, :2] @ to[:, :2].T + to[:, 2]
    square = cut(picture, to).astype(np.float32)
    maps = maps_of(points)
    x, y = maps.canonical[..., 0], maps.canonical[..., 1]
    core = (np.abs(x) < 0.36) & (y > -0.12) & (y < 0.2) & (maps.lips < 0.1) & (maps.hull > 0.5)
    mesh = np.column_stack([CANONICAL, np.ones(len(CANONICAL))])
    return Base(
        face=face,
        picture=square,
        wide=cut(picture, to_square(landmarks, 2 * SIDE), 2 * SIDE),
        labels=labels_of(face.name),
        maps=maps,
        points=points,
        projection=np.linalg.lstsq(mesh, points, rcond=None)[0],
        skin=np.asarray(np.median(square[core], axis=0), np.float32),
    )


@cache
def _finder() -> FaceFinder:
    return FaceFinder(ROOT / "var" / "models", 1)
