"""Tone and light: the colours of light, the light across a face, and the target's complexion."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from swaps.engines.classical import Engine, mesh
from swaps.engines.classical.accents import whites_of_eyes
from swaps.engines.classical.filters import lab
from swaps.engines.classical.gaze import EYES
from swaps.engines.classical.light import blur_within, from_f, from_tint, to_f, to_tint
from swaps.engines.classical.mouth import is_openness_unlike
from swaps.engines.classical.types import Picture
from tests.engines.classical.conftest import Photo
from tests.engines.classical.test_steps import turned

BOB, CHARLIE = "face-man-frontal", "face-man-beard-smile"


@given(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255))
def test_colours_come_back_from_light_and_from_tints(r: int, g: int, b: int) -> None:
    colour = lab(np.full((2, 2, 3), (r, g, b), np.uint8))
    if to_f(colour).min() <= 0.07:  # clipped: nearly outside the gamut
        return
    assert from_f(to_f(colour)) == pytest.approx(colour, abs=0.05)
    assert from_tint(to_tint(colour)) == pytest.approx(colour, abs=0.05)


def test_stronger_light_is_a_shift_of_the_first_channel_alone() -> None:
    dim = lab(np.full((1, 1, 3), (90, 60, 45), np.uint8))
    bright = from_f(to_f(dim) * np.float32(1.4))
    change = (to_tint(bright) - to_tint(dim))[0, 0]
    assert change == pytest.approx([np.log(1.4), 0, 0], abs=1e-3)


def test_pixels_without_weight_do_not_count() -> None:
    values = np.full((20, 20), 5, np.float32)
    values[:, 10:] = 1000
    weights = np.ones((20, 20), np.float32)
    weights[:, 10:] = 0
    assert blur_within(values, weights, 4.0)[:, :10] == pytest.approx(5, abs=1e-3)


def test_narrow_eyes_show_no_white_that_could_be_lightened() -> None:
    open_eyes = turned(0)
    for ring, _, _ in EYES:  # the mean face's are half closed
        middle = open_eyes[ring, 1].mean()
        open_eyes[ring, 1] = middle + 1.5 * (open_eyes[ring, 1] - middle)
    narrow = open_eyes.copy()
    for ring, _, _ in EYES:
        middle = narrow[ring, 1].mean()
        narrow[ring, 1] = middle + 0.3 * (narrow[ring, 1] - middle)
    assert [seen for _, seen in whites_of_eyes(open_eyes)] == pytest.approx([1, 1], abs=0.3)
    assert [seen for _, seen in whites_of_eyes(narrow)] == [0, 0]


def shaded(picture: Picture) -> Picture:
    """Return the picture with its left half in shade, whose edge is soft."""
    across = np.linspace(-1, 1, picture.shape[1])
    light = 0.35 + 0.65 / (1 + np.exp(-40 * across))
    return (picture * light[None, :, None]).astype(np.uint8)


def sides(engine: Engine, picture: Picture, target: Picture) -> float:
    """Return the ratio of lightness of the left to the right cheek, at the target's face."""
    points = engine.faces(target)[0].landmarks[:, :2].astype(int)
    left, right = (lab(picture)[points[i, 1], points[i, 0], 0] for i in (50, 280))
    return float(left / right)


def test_one_sided_light_of_the_source_is_taken_out(engine: Engine, photo: Photo) -> None:
    source, target = photo("face-woman-frontal"), photo("face-woman-smiling-frontal")
    own = sides(engine, target, target)
    shade = sides(engine, shaded(source), source)
    assert shade < 0.75  # the shade is there, to begin with
    after = sides(engine, engine.swap(shaded(source), target).image, target)
    assert abs(after - own) < 0.12


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("face-woman-dark-skin", "face-woman-smiling-frontal"),
        ("face-woman-smiling-frontal", "face-woman-dark-skin"),
    ],
)
def test_the_complexion_is_that_of_the_target(
    engine: Engine, photo: Photo, source: str, target: str
) -> None:
    picture = photo(target)
    points = engine.faces(picture)[0].landmarks[:, :2].astype(int)
    cheeks = [50, 280, 101, 330, 117, 346]
    columns, rows = points[cheeks].T
    before = np.median(lab(picture)[rows, columns], axis=0)
    after = np.median(lab(engine.swap(photo(source), picture).image)[rows, columns], axis=0)
    assert np.linalg.norm(after - before) < 8


def test_dull_teeth_give_way_to_those_of_the_target(engine: Engine, photo: Photo) -> None:
    source, target = photo("face-woman-smiling-frontal"), photo(CHARLIE)
    mouth = engine.faces(source)[0].landmarks[mesh.MOUTH, :2].astype(np.int32)
    inside = np.zeros(source.shape[:2], np.uint8)
    cv2.fillPoly(inside, [mouth], 1)
    faces = [engine.faces(picture)[0].landmarks for picture in (source, target)]
    assert not is_openness_unlike(*faces)  # which alone would bring the target's mouth
    dull = np.where(inside[..., None] > 0, source // 3, source).astype(np.uint8)
    result = engine.swap(dull, target).image
    there = np.zeros(target.shape[:2], np.uint8)
    lips = engine.faces(target)[0].landmarks[mesh.MOUTH, :2].astype(np.int32)
    cv2.fillPoly(there, [lips], 1)
    teeth, own = (float(np.percentile(lab(p)[there > 0, 0], 75)) for p in (result, target))
    assert abs(teeth - own) < 8
