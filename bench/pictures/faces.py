"""Finds the face to measure or to show, with the engine of this checkout for all methods alike."""

from pathlib import Path

import numpy as np
from PIL import Image

from swaps import images
from swaps.engines.classical import Engine
from swaps.engines.classical.types import Landmarks, Picture

MODELS = Path(__file__).resolve().parents[2] / "var" / "models"
_MAX_PIXELS = 50_000_000


def read(path: Path) -> Picture:
    """Read a photo as the site does (upright, in sRGB): H×W×3 uint8."""
    return decode(path.read_bytes())


def decode(data: bytes) -> Picture:
    return np.asarray(images.open_photo(data, max_pixels=_MAX_PIXELS).convert("RGB"))


def landmarks(engine: Engine, picture: Picture) -> Landmarks | None:
    """Return the landmarks (468×3, pixels) of the largest face, or None."""
    face, _ = engine._finder.largest(picture)  # noqa: SLF001
    return None if face is None else face.landmarks


def crop(picture: Picture, face: Landmarks, side: int) -> Image.Image:
    """Return the square around a face, ``side`` pixels wide; black beyond the picture."""
    low, high = face[:, :2].min(0), face[:, :2].max(0)
    centre, half = (low + high) / 2, 0.75 * float((high - low).max())
    x0, y0 = np.round(centre - half).astype(int).tolist()
    x1, y1 = np.round(centre + half).astype(int).tolist()
    box = Image.fromarray(picture).crop((x0, y0, x1, y1))
    return box.resize((side, side), Image.Resampling.LANCZOS)
