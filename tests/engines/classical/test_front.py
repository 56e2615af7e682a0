"""What lies in front: the target's things stay, the source's never come along."""

import cv2
import numpy as np
import pytest

from swaps.engines.classical import Engine, mesh
from swaps.engines.classical.fill import push_pull
from swaps.engines.classical.types import AnyArray, Picture
from tests.engines.classical.conftest import Photo
from tests.parts import on_one_database

pytestmark = on_one_database

BOB, ALICE = "face-man-frontal", "face-woman-frontal"
LENS = (25, 30, 35)


def eyes_of(engine: Engine, picture: Picture) -> tuple[AnyArray, float]:
    """Return the centres of both eyes (2×2) and the distance between them, in pixels."""
    landmarks = engine.faces(picture)[0].landmarks[:, :2]
    eyes = np.array([landmarks[ring].mean(0) for ring in (mesh.RIGHT_EYE, mesh.LEFT_EYE)])
    return eyes, float(np.linalg.norm(eyes[1] - eyes[0]))


def with_dark_glasses(engine: Engine, picture: Picture) -> tuple[Picture, AnyArray]:
    """Return the picture with dark lenses, a bridge and arms, and a mask of the lenses."""
    eyes, between = eyes_of(engine, picture)
    drawn, lenses = picture.copy(), np.zeros(picture.shape[:2], np.uint8)
    axes = round(0.40 * between), round(0.33 * between)
    down = np.array([0, 0.06 * between])
    centres = [tuple(int(v) for v in np.round(eye + down)) for eye in eyes]
    for centre in centres:
        cv2.ellipse(lenses, centre, axes, 0, 0, 360, 1, -1)
        cv2.ellipse(drawn, centre, axes, 0, 0, 360, LENS, -1, cv2.LINE_AA)
    thick = max(2, round(0.05 * between))
    cv2.line(drawn, centres[0], centres[1], LENS, thick, cv2.LINE_AA)
    for centre, side in zip(centres, (-1, 1), strict=True):
        end = centre[0] + side * round(0.75 * between), centre[1] - round(0.1 * between)
        cv2.line(drawn, centre, end, LENS, thick, cv2.LINE_AA)
    return drawn, lenses > 0


def test_dark_glasses_of_the_target_stay_in_front_and_whole(engine: Engine, photo: Photo) -> None:
    target, lenses = with_dark_glasses(engine, photo(ALICE))
    output = engine.swap(photo(BOB), target)
    inside = cv2.erode(lenses.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    difference = np.abs(output.image[inside].astype(int) - target[inside])
    assert np.percentile(difference, 95) <= 6
    # The rest of the face is the source's all the same.
    (measures,) = output.measures
    assert measures.kept > 0.1
    assert measures.change > 3


def test_dark_glasses_of_the_source_never_come_along(engine: Engine, photo: Photo) -> None:
    source, _ = with_dark_glasses(engine, photo(BOB))
    target = photo(ALICE)
    output = engine.swap(source, target)
    eyes, between = eyes_of(engine, target)
    rows, columns = np.mgrid[0 : target.shape[0], 0 : target.shape[1]]
    for x, y in eyes:
        # Below the eye a lens would be dark; the target has a fair cheek there.
        cheek = np.hypot(columns - x, rows - (y + 0.28 * between)) < 0.08 * between
        assert output.image[cheek].mean() > 0.75 * target[cheek].mean()
    assert "source_eyes_hidden" in output.warnings


def test_without_glasses_nothing_is_found_in_front(engine: Engine, photo: Photo) -> None:
    (measures,) = engine.swap(photo(BOB), photo("face-woman-frontal")).measures
    assert measures.eyes_hidden == 0
    assert measures.filled < 0.12
    assert measures.kept < 0.12


@pytest.mark.parametrize("weight", [0.3, 1.0])
def test_push_pull_keeps_what_is_known_and_fills_between(weight: float) -> None:
    values = np.zeros((40, 40, 3), np.float32)
    values[:, 20:] = 100
    weights = np.full((40, 40), weight, np.float32)
    weights[10:30, 10:30] = 0
    filled = push_pull(values, weights)
    assert filled[:8, :16] == pytest.approx(0, abs=30 if weight < 1 else 1e-3)
    hole = filled[20, 10:30, 0]
    assert hole.min() >= 0
    assert hole.max() <= 100
    assert hole[0] < 30
    assert hole[-1] > 70
