"""How good a swap is, by measures that need no person."""

import math
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageFilter

from swaps import messages
from swaps.engines.classical import Engine, quality
from swaps.engines.classical.quality import hidden_share
from swaps.engines.classical.types import Measures
from tests.engines.classical.conftest import Photo
from tests.engines.classical.test_steps import turned

ALICE, BOB, CHARLIE = "face-woman-frontal", "face-man-frontal", "face-man-beard-smile"
GOOD = Measures(
    pose_gap=5,
    hidden=0.03,
    tone_gap=8,
    sharpness_gap=0,
    seam=0,
    change=10,
    source_size=300,
    source_sharpness=0.5,
    source_light=80,
    enlargement=1,
    filled=0.02,
    kept=0.03,
    eyes_hidden=0,
)


def test_a_swap_is_measured(engine: Engine, photo: Photo) -> None:
    output = engine.swap(photo(BOB), photo(CHARLIE))
    (measures,) = output.measures
    assert measures.pose_gap < 20
    assert measures.hidden < 0.1
    assert 0 < measures.tone_gap < 40
    assert measures.source_size == pytest.approx(239, abs=10)
    assert 0.5 < measures.enlargement < 2
    assert 3 < measures.change < 40
    assert output.score == pytest.approx(quality.score(measures))
    assert 0 < output.score < 1


def test_a_face_put_onto_itself_is_hardly_changed(engine: Engine, photo: Photo) -> None:
    output = engine.swap(photo(BOB), photo(BOB))
    (measures,) = output.measures
    assert output.score > 0.9
    assert measures.pose_gap == measures.tone_gap == measures.sharpness_gap == 0
    assert measures.enlargement == 1
    assert measures.change < 3
    assert abs(measures.seam) < 0.3


def test_the_score_is_that_of_the_worst_face(engine: Engine, photo: Photo) -> None:
    output = engine.swap(photo(BOB), photo("group-two-people", 800), pairs=[(None, "all")])
    assert len(output.measures) == 2
    assert output.score == min(map(quality.score, output.measures))


def test_another_direction_costs_score_and_is_warned_of(engine: Engine, photo: Photo) -> None:
    output = engine.swap(photo(BOB), photo("hard-man-profile"))
    assert output.measures[0].pose_gap > 40
    assert "yaw" in output.warnings
    assert output.score < engine.swap(photo(BOB), photo(CHARLIE)).score


def test_a_blurred_source_is_warned_of(engine: Engine, photo: Photo) -> None:
    sharp = Image.fromarray(photo(BOB))
    output = engine.swap(sharp.filter(ImageFilter.GaussianBlur(5)), photo(CHARLIE))
    assert "blurred_source" in output.warnings
    assert output.measures[0].sharpness_gap < -0.5


def test_a_small_source_is_warned_of(engine: Engine, photo: Photo) -> None:
    output = engine.swap(photo(BOB, 120), photo(CHARLIE))
    assert "small_face" in output.warnings
    assert "small_face" not in engine.swap(photo(BOB, 120), photo(CHARLIE, 100)).warnings


def test_a_dark_source_is_warned_of(engine: Engine, photo: Photo) -> None:
    dark = (photo(BOB) * 0.3).astype(np.uint8)
    assert "dark_source" in engine.swap(dark, photo(CHARLIE)).warnings
    # Dark skin in good light is not dark.
    assert "dark_source" not in engine.swap(photo("face-woman-dark-skin"), photo(BOB)).warnings


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"pose_gap": 50.0}, "yaw"),
        ({"source_light": 20.0}, "dark_source"),
        ({"source_sharpness": 0.2}, "blurred_source"),
        ({"source_size": 40.0, "enlargement": 4.0}, "small_face"),
        ({"tone_gap": 50.0}, "tone"),
        ({"filled": 0.5}, "source_covered"),
        ({"kept": 0.5}, "target_covered"),
        ({"eyes_hidden": 0.9}, "source_eyes_hidden"),
    ],
)
def test_each_warning_has_a_sentence(changes: dict[str, float], code: str) -> None:
    assert quality.warnings(GOOD) == []
    assert quality.warnings(replace(GOOD, **changes)) == [code]
    assert f"warning.{code}" in messages.TEXTS


def test_of_a_tiny_face_the_blur_is_not_told() -> None:
    tiny = replace(GOOD, source_size=30.0, enlargement=8.0, source_sharpness=0.1)
    assert quality.warnings(tiny) == ["small_face"]


@pytest.mark.parametrize("name", sorted(quality.COEFFICIENTS))
def test_each_coefficient_makes_a_worse_measure_a_worse_score(name: str) -> None:
    worse = replace(GOOD, **{name: getattr(GOOD, name) + 0.5})
    assert quality.score(worse) < quality.score(GOOD)


def test_it_makes_no_difference_to_the_score_which_of_both_is_sharper() -> None:
    gaps = (math.log(2), -math.log(2))
    assert len({quality.score(replace(GOOD, sharpness_gap=gap)) for gap in gaps}) == 1


def test_what_a_turned_source_hides_is_a_growing_share_of_the_target() -> None:
    shares = [hidden_share(turned(yaw), turned(0)) for yaw in (0, 20, 40, 60)]
    assert shares == sorted(shares)
    assert shares[0] < 0.1
    assert shares[-1] > 0.25
    # A target that is turned the same way does not show that half either.
    assert hidden_share(turned(40), turned(40)) < shares[2] / 2
