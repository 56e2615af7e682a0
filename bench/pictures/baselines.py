"""Swaps faces as textbooks do, for comparison, with the landmarks of this checkout's engine."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from bench.engine import naive_swap
from bench.pictures import faces
from swaps import images
from swaps.engines.classical import Engine
from swaps.engines.classical.geometry import face_size
from swaps.engines.classical.types import AnyArray, Picture

_FEATHER = 0.06  # of the face's size

Baseline = Callable[[Engine, Picture, Picture], Picture]


def swap_with(
    baseline: Baseline, engine: Engine, source: Path, target: Path, result: Path
) -> dict[str, Any]:
    """Swap one pair, write the result as PNG, and return ``ms`` of CPU with codec."""
    data = source.read_bytes(), target.read_bytes()
    start = time.process_time()
    pictures = [faces.decode(photo) for photo in data]
    try:
        output = baseline(engine, *pictures)
    except (cv2.error, SystemExit) as error:  # hulls beyond the border are refused
        return {"error": str(error)}
    images.encode(Image.fromarray(output), "jpeg")
    ms = 1e3 * (time.process_time() - start)
    Image.fromarray(output).save(result)
    return {"ms": ms}


def affine_swap(engine: Engine, source: Picture, target: Picture) -> Picture:
    """Swap by one affine map of the source, colour transfer and alpha blending.

    The map is the least-squares fit of all landmarks; colours get the target's mean and deviation
    in Lab (Reinhard 2001); alpha is the hull of the target's landmarks, feathered inwards.
    """
    start, goal = (faces.landmarks(engine, picture) for picture in (source, target))
    if start is None or goal is None:
        raise SystemExit("no face was found")
    rows, columns = target.shape[:2]
    terms = np.column_stack([start[:, :2], np.ones(len(start))])
    affine = np.linalg.lstsq(terms, goal[:, :2].astype(np.float64), rcond=None)[0].T
    warped = cv2.warpAffine(source, affine, (columns, rows), borderMode=cv2.BORDER_REPLICATE)
    hull = np.zeros((rows, columns), np.uint8)
    cv2.fillConvexPoly(hull, cv2.convexHull(np.round(goal[:, :2]).astype(np.int32)), 1)
    coloured = transfer_colour(np.asarray(warped, np.uint8), target, hull > 0)
    distance = cv2.distanceTransform(np.pad(hull, 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    alpha = np.clip(distance / (_FEATHER * face_size(goal)), 0, 1)[..., None]
    return np.asarray(np.round(alpha * coloured + (1 - alpha) * target), np.uint8)


def transfer_colour(picture: Picture, example: Picture, where: AnyArray) -> Picture:
    """Give a picture the example's mean and deviation in Lab, both measured ``where`` (H×W)."""
    lab, goal = (
        np.asarray(cv2.cvtColor(pixels.astype(np.float32) / 255, cv2.COLOR_RGB2LAB))
        for pixels in (picture, example)
    )
    scale = goal[where].std(0) / np.maximum(lab[where].std(0), 1e-3)
    moved = ((lab - lab[where].mean(0)) * scale + goal[where].mean(0)).astype(np.float32)
    rgb = cv2.cvtColor(moved, cv2.COLOR_LAB2RGB)
    return np.asarray(np.clip(255 * rgb + 0.5, 0, 255), np.uint8)


BASELINES: dict[str, Baseline] = {"seamless": naive_swap, "affine": affine_swap}
