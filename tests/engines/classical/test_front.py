"""What lies in front: the target's things stay, the source's never come along."""

import cv2
import numpy as np
import pytest

from swaps.engines.classical import Engine, mesh
from swaps.engines.classical.fill import push_pull
from swaps.engines.classical.types import AnyArray, Picture
from tests.engines.classical.conftest import Photo

BOB, ALICE, BEARDED = "face-man-frontal", "face-woman-frontal", "face-man-beard-smile"
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


def with_wire_glasses(engine: Engine, picture: Picture) -> tuple[Picture, AnyArray]:
    """Return the picture with thin round wire frames, and a mask of the wires below the eyes."""
    eyes, between = eyes_of(engine, picture)
    drawn, wires = picture.copy(), np.zeros(picture.shape[:2], np.uint8)
    centres = [tuple(int(v) for v in np.round((x, y + 0.05 * between))) for x, y in eyes]
    radius, thick = round(0.36 * between), max(1, round(0.022 * between))
    wire = (70, 66, 64)
    for centre in centres:
        cv2.circle(drawn, centre, radius, wire, thick, cv2.LINE_AA)
        cv2.ellipse(wires, centre, (radius, radius), 0, 30, 150, 1, thick)
    (left, y), (right, _) = centres
    y -= round(0.08 * between)
    cv2.line(drawn, (left + radius, y), (right - radius, y), wire, thick, cv2.LINE_AA)
    return drawn, wires > 0


def test_thin_wires_are_known_as_glasses_and_bare_faces_are_not(
    engine: Engine, photo: Photo
) -> None:
    for name in (BOB, ALICE, "face-woman-dark-skin"):
        picture = photo(name)
        for drawn, expected in ((picture, 0), (with_wire_glasses(engine, picture)[0], 1)):
            landmarks = engine.faces(picture)[0].landmarks
            assert engine._parse(drawn, landmarks).glasses == expected


def test_thin_wires_of_the_target_stay_whole(engine: Engine, photo: Photo) -> None:
    target, wires = with_wire_glasses(engine, photo(ALICE))
    result = engine.swap(photo(BOB), target).image
    difference = np.abs(result[wires].astype(int) - target[wires])
    assert np.percentile(difference, 90) <= 12


def test_thin_wires_of_the_source_never_come_along(engine: Engine, photo: Photo) -> None:
    source, _ = with_wire_glasses(engine, photo(BOB))
    target = photo(ALICE)
    result = engine.swap(source, target).image
    # Where they would be there is the target's own skin.
    _, wires = with_wire_glasses(engine, target)
    near = cv2.dilate(wires.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    assert np.percentile(np.abs(result[near].astype(int) - target[near]), 90) <= 15


def around_mouth(engine: Engine, picture: Picture) -> AnyArray:
    """Return a mask of the skin between nose and lips, and of the chin."""
    points = engine.faces(picture)[0].landmarks[:, :2]
    mask = np.zeros(picture.shape[:2], np.uint8)
    size = float(np.ptp(points[:, 1]))
    for vertex in (164, 200, 199):  # philtrum and chin
        x, y = (int(v) for v in points[vertex])
        cv2.circle(mask, (x, y), max(2, round(0.02 * size)), 1, -1)
    return mask > 0


@pytest.mark.parametrize(("source", "target"), [(BEARDED, ALICE), (ALICE, BEARDED)])
def test_a_beard_stays_on_the_target_and_never_comes_along(
    engine: Engine, photo: Photo, source: str, target: str
) -> None:
    picture = photo(target)
    result = engine.swap(photo(source), picture).image
    here = around_mouth(engine, picture)
    assert np.median(np.abs(result[here].astype(int) - picture[here])) <= 8
    (measures,) = engine.swap(photo(source), picture).measures
    assert measures.change > 2  # eyes, nose and mouth are the source's all the same


def test_forehead_and_jaw_stay_those_of_the_target(engine: Engine, photo: Photo) -> None:
    # A source whose forehead and jaw are painted green.
    source, target = photo(BOB), photo(ALICE)
    points = engine.faces(source)[0].landmarks[:, :2]
    size = float(np.ptp(points[:, 1]))
    painted = source.copy()
    for vertex in (10, 109, 338, 152, 176, 400):
        x, y = (int(v) for v in points[vertex])
        cv2.circle(painted, (x, y), round(0.07 * size), (30, 200, 60), -1)
    result = engine.swap(painted, target).image
    points = engine.faces(target)[0].landmarks[:, :2]
    middle = points.mean(0)
    for vertex in (10, 152):  # a twentieth of the way inwards
        x, y = (points[vertex] + 0.05 * (middle - points[vertex])).astype(int)
        assert np.abs(result[y, x].astype(int) - target[y, x]).max() <= 6


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
