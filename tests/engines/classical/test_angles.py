"""Faces at every angle: swapped upright to the face, or not at all."""

import math

import cv2
import numpy as np
import pytest
from PIL import Image

from swaps.engines.classical import Engine
from swaps.engines.classical.types import AnyArray, Landmarks, Picture
from tests.engines.classical.conftest import Photo
from tests.paths import CASES

BOB, CHARLIE = "face-man-frontal", "face-man-beard-smile"


def turned(picture: Picture, degrees: float) -> Picture:
    """Clockwise, on a larger grey canvas: nothing is cut off."""
    whole = Image.fromarray(picture)
    return np.asarray(whole.rotate(-degrees, Image.Resampling.BILINEAR, expand=True, fillcolor=128))


def up(landmarks: Landmarks) -> float:
    """Where the forehead is from the chin: degrees clockwise from upwards."""
    x, y = landmarks[10, :2] - landmarks[152, :2]
    return math.degrees(math.atan2(x, -y))


def mesh(engine: Engine, picture: Picture) -> Landmarks:
    face, _ = engine._finder.largest(picture)
    assert face is not None
    return face.landmarks


@pytest.mark.parametrize(("name", "step"), [(BOB, 15), (CHARLIE, 60), ("face-woman-dark-skin", 60)])
def test_a_face_is_found_upright_to_itself_at_every_angle(
    engine: Engine, photo: Photo, name: str, step: int
) -> None:
    picture = photo(name, 300)
    straight = up(mesh(engine, picture))
    for degrees in range(0, 360, step):
        error = up(mesh(engine, turned(picture, degrees))) - straight - degrees
        assert abs(math.remainder(error, 360)) < 20, degrees


@pytest.mark.parametrize("degrees", [120, 180])
def test_a_turned_target_gets_what_it_gets_upright_turned(
    engine: Engine, photo: Photo, degrees: int
) -> None:
    target = photo(CHARLIE, 300)
    expected = turned(engine.swap(photo(BOB, 300), target).image, degrees)
    result = engine.swap(photo(BOB, 300), turned(target, degrees)).image
    assert difference(result, expected, turned(target, degrees)) < 8


@pytest.mark.parametrize("degrees", [120, 180])
def test_a_turned_source_gives_what_it_gives_upright(
    engine: Engine, photo: Photo, degrees: int
) -> None:
    target = photo(CHARLIE, 300)
    expected = engine.swap(photo(BOB, 300), target).image
    result = engine.swap(turned(photo(BOB, 300), degrees), target).image
    assert difference(result, expected, target) < 8


def difference(result: Picture, expected: Picture, target: Picture) -> float:
    """The mean difference, 0…255, where the swap changes the target (25 and more upside down)."""
    is_changed = (cv2.absdiff(expected, target) > 8).any(-1)
    apart: AnyArray = np.abs(result.astype(int) - expected)[is_changed]
    return float(apart.mean())


def test_the_case_is_swapped_upright(engine: Engine, photo: Photo) -> None:
    with Image.open(CASES / "upside-down-180.jpg") as image:
        target = np.asarray(image.convert("RGB"))
    result = engine.swap(photo(BOB), target).image
    assert abs(math.remainder(up(mesh(engine, result)) - 180, 360)) < 20
