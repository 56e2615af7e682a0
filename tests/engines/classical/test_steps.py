"""Properties of the steps, each by itself."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swaps.engines.classical import mesh
from swaps.engines.classical.blazeface import merge_overlapping, rotated_back
from swaps.engines.classical.blend import blend
from swaps.engines.classical.detail import grain, match_detail, robust_deviation
from swaps.engines.classical.faces import without_duplicates
from swaps.engines.classical.filters import blur, lab, padded_crop, shrink_picture, smooth
from swaps.engines.classical.geometry import (
    goal_landmarks,
    pose,
    similarity,
    smile_gap,
    visibility,
)
from swaps.engines.classical.grid import Grid
from swaps.engines.classical.mouth import is_openness_unlike
from swaps.engines.classical.types import Floats, Landmarks
from swaps.engines.classical.warp import interpolate, rasterise

angles = st.floats(-60, 60)


def turned(yaw: float, *, scale: float = 200, shift: float = 300) -> Landmarks:
    """The canonical face, turned to a side."""
    c, s = math.cos(math.radians(yaw)), math.sin(math.radians(yaw))
    rotation = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    return np.asarray(scale * mesh.CANONICAL @ rotation.T + shift, np.float32)


def noise(*shape: int, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).random(shape, dtype=np.float32)


# --- mesh ----------------------------------------------------------------------------------


def test_mirroring_a_vertex_twice_leads_back() -> None:
    assert np.array_equal(mesh.MIRROR[mesh.MIRROR], np.arange(468))


def test_all_triangles_of_the_frontal_face_look_at_the_viewer() -> None:
    assert (mesh.signed_areas(mesh.CANONICAL, mesh.TRIANGLES) >= 0).all()
    assert len(mesh.TRIANGLES) == 852 + 46


# --- geometry ------------------------------------------------------------------------------


@given(angles, st.floats(10, 2000), st.floats(-5000, 5000))
def test_a_similarity_is_found_again(yaw: float, scale: float, shift: float) -> None:
    moved = turned(yaw, scale=scale, shift=shift).astype(np.float64)
    found = similarity(mesh.CANONICAL, moved)
    assert found.scale == pytest.approx(scale, rel=1e-3)
    assert found.from_canonical(mesh.CANONICAL) == pytest.approx(moved, abs=scale * 1e-2)
    assert found.to_canonical(moved) == pytest.approx(mesh.CANONICAL, abs=1e-2)


@given(angles)
def test_the_yaw_is_told(yaw: float) -> None:
    assert pose(turned(yaw)).yaw == pytest.approx(yaw, abs=0.1)


def test_the_goal_of_equal_faces_is_that_face() -> None:
    assert goal_landmarks(turned(0), turned(25)) == pytest.approx(turned(25), abs=0.05)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=25)
def test_the_goal_never_moves_a_vertex_far_and_the_rim_not_at_all(seed: int) -> None:
    target = turned(10)
    random = np.random.default_rng(seed).normal(0, 20, target.shape).astype(np.float32)
    moved = np.linalg.norm(goal_landmarks(target + random, target) - target, axis=1)
    assert moved.max() <= 0.06 * math.sqrt(2) * 200 + 0.01
    assert moved[mesh.OVAL].max() < 0.05


def test_a_turned_face_hides_one_half() -> None:
    visible = visibility(turned(50))
    left, right = (visible[mesh.CANONICAL[:, 0] * side > 0.2].mean() for side in (1, -1))
    assert abs(left - right) > 0.4


# --- detection -----------------------------------------------------------------------------


def detection(x: float, score: float) -> Floats:
    return np.array([x, 0, x + 100, 100, score, *[0] * 12], np.float32)


def test_overlapping_detections_become_one_and_distant_ones_stay() -> None:
    found = merge_overlapping(
        np.stack([detection(0, 0.6), detection(10, 0.9), detection(500, 0.7)])
    )
    assert found[:, 4].tolist() == pytest.approx([0.9, 0.7])
    assert 0 < found[0, 0] < 10


def test_no_detections_merge_to_none() -> None:
    assert merge_overlapping(np.zeros((0, 17), np.float32)).shape == (0, 17)


def test_of_two_faces_in_one_place_the_larger_is_kept() -> None:
    large, twin, other = turned(0), turned(0, scale=180), turned(0, shift=900)
    assert len(without_duplicates([twin, large, other])) == 2
    assert without_duplicates([twin, large])[0] is large


# --- warp ----------------------------------------------------------------------------------


def test_interpolating_positions_gives_back_the_positions() -> None:
    face = turned(0)
    grid = Grid.around(face)
    numbers = rasterise(grid, face, mesh.TRIANGLES)
    found = interpolate(grid, face, mesh.TRIANGLES, numbers, grid.to_cells(face))
    x, y = grid.coordinates()
    inside = numbers >= 0
    assert np.abs(found[..., 0] - x)[inside].max() < 0.01
    assert np.abs(found[..., 1] - y)[inside].max() < 0.01


@given(angles)
@settings(max_examples=10, deadline=None)
def test_what_is_painted_lies_within_the_grid_and_covers_the_face(yaw: float) -> None:
    face = turned(yaw)
    grid = Grid.around(face)
    numbers = rasterise(grid, face, mesh.TRIANGLES)
    assert max(numbers.shape) <= 256
    rows, columns = np.nonzero(numbers >= 0)
    assert np.ptp(rows) == pytest.approx(np.ptp(grid.to_cells(face)[:, 1]), abs=3)
    assert np.ptp(columns) == pytest.approx(np.ptp(grid.to_cells(face)[:, 0]), abs=3)


def test_an_open_mouth_is_kept_when_the_source_has_it_shut() -> None:
    shut, ajar = turned(0), turned(0)
    shut[mesh.UPPER_LIP] = shut[mesh.LOWER_LIP]
    ajar[mesh.UPPER_LIP, 1] -= 20
    assert is_openness_unlike(shut, ajar)
    assert not is_openness_unlike(ajar, ajar)
    assert not is_openness_unlike(ajar, shut)


def with_eyes(opened: float) -> Landmarks:
    """The canonical face, its eyes opened by a factor."""
    face = turned(0)
    for ring in (mesh.RIGHT_EYE, mesh.LEFT_EYE):
        middle = face[ring, 1].mean()
        face[ring, 1] = middle + opened * (face[ring, 1] - middle)
    return face


def test_eyes_far_more_closed_than_the_targets_stay_so() -> None:
    narrow, wide = with_eyes(0.4), with_eyes(1.2)
    ring = mesh.RIGHT_EYE
    heights = [float(np.ptp(f[ring, 1])) for f in (goal_landmarks(narrow, wide), narrow, wide)]
    assert heights[0] == pytest.approx(heights[1], rel=0.15)
    # The other way round the goal lies between, nearer to the target's expression.
    opened = float(np.ptp(goal_landmarks(wide, narrow)[ring, 1]))
    assert heights[1] < opened < heights[2]


def test_a_smile_gap_is_the_ratio_of_the_mouths_widths() -> None:
    plain, wide = turned(0), turned(0)
    wide[[61, 291], 0] += [-20, 20]
    assert smile_gap(plain, plain) == 0
    width = float(plain[291, 0] - plain[61, 0])
    assert smile_gap(plain, wide) == pytest.approx(math.log((width + 40) / width), rel=0.05)
    assert smile_gap(wide, plain) == pytest.approx(smile_gap(plain, wide))


# --- turned pictures -----------------------------------------------------------------------


@given(st.integers(0, 3), st.integers(20, 60), st.integers(20, 60))
def test_detections_in_a_turned_picture_come_back_to_their_place(
    quarters: int, rows: int, columns: int
) -> None:
    picture = np.zeros((rows, columns))
    picture[4:7, 9:14] = 1
    y, x = np.nonzero(np.rot90(picture, quarters))
    box = [x.min(), y.min(), x.max() + 1, y.max() + 1]
    eyes = [x.min(), y.min(), x.max() + 1, y.max() + 1]
    found = np.array([[*box, 0.7, *eyes, *[0] * 8]], np.float32)

    (back,) = rotated_back(found, quarters, picture.shape)

    assert back[:5] == pytest.approx([9, 4, 14, 7, 0.7])
    assert sorted([*back[5:9]]) == [4, 7, 9, 14]


# --- detail --------------------------------------------------------------------------------


def test_a_sharp_face_is_softened_to_the_sharpness_of_the_target() -> None:
    sharp = noise(200, 200, 3) * 255
    soft = np.clip(blur(sharp, 2), 0, 255).astype(np.uint8)
    skin = np.ones((200, 200), np.float32)
    matched = match_detail(sharp.copy(), soft, skin, skin, skin)
    band = [robust_deviation(x - blur(x, 1)) for x in (sharp, matched)]
    assert band[1] < 0.2 * band[0]


def test_a_smooth_face_gets_the_grain_of_the_target() -> None:
    grainy = np.clip(128 + 8 * (noise(200, 200, 1) - 0.5), 0, 255).repeat(3, 2).astype(np.uint8)
    smooth_face = np.full((200, 200, 3), 128, np.float32)
    matched = match_detail(smooth_face, grainy, *[np.ones((200, 200), np.float32)] * 3)
    assert matched.std() > 0.5


def test_without_enough_skin_nothing_is_matched() -> None:
    face, nothing = noise(50, 50, 3), np.zeros((50, 50), np.float32)
    assert match_detail(face, np.zeros((50, 50, 3), np.uint8), nothing, nothing, nothing) is face


@given(st.integers(1, 1200), st.integers(1, 1200), st.floats(0, 9))
@settings(max_examples=20)
def test_grain_has_the_size_asked_for_and_is_never_coarse(
    rows: int, columns: int, deviation: float
) -> None:
    made = grain((rows, columns), deviation, 0.6)
    assert made.shape == (rows, columns)
    assert np.abs(made).max() <= 3 * 6


# --- blend ---------------------------------------------------------------------------------


@given(st.integers(2, 90), st.integers(2, 90), st.floats(1, 3000))
@settings(max_examples=30, deadline=None)
def test_an_empty_mask_gives_the_target_and_a_full_one_the_face(
    rows: int, columns: int, size: float
) -> None:
    face, target = noise(rows, columns, 3) * 255, noise(rows, columns, 3, seed=1) * 255
    nothing, everything = np.zeros((rows, columns), "f4"), np.ones((rows, columns), "f4")
    assert blend(face, target, nothing, size=size) == pytest.approx(target, abs=0.01)
    assert blend(face, target, everything, size=size) == pytest.approx(face, abs=0.01)


def test_a_hard_edge_in_light_is_blended_softly() -> None:
    face, target = np.full((200, 200, 3), 200, "f4"), np.full((200, 200, 3), 100, "f4")
    mask = np.zeros((200, 200), np.float32)
    mask[:, 100:] = 1
    row = blend(face, target, mask, size=180)[100, :, 0]
    assert np.abs(np.diff(row)).max() < 20


# --- filters -------------------------------------------------------------------------------


@given(
    st.tuples(st.integers(1, 40), st.integers(1, 40)),
    st.tuples(st.integers(-60, 60), st.integers(-60, 60)),
    st.tuples(st.integers(1, 80), st.integers(1, 80)),
)
def test_any_box_can_be_cut_from_any_picture(
    shape: tuple[int, int], corner: tuple[int, int], size: tuple[int, int]
) -> None:
    picture = (noise(*shape, 3) * 255).astype(np.uint8)
    rows = np.clip(np.arange(corner[1], corner[1] + size[1]), 0, shape[0] - 1)
    columns = np.clip(np.arange(corner[0], corner[0] + size[0]), 0, shape[1] - 1)
    assert np.array_equal(padded_crop(picture, *corner, *size), picture[rows][:, columns])


@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 60), st.integers(1, 60))
def test_shrinking_keeps_an_even_colour(rows: int, columns: int, width: int, height: int) -> None:
    picture = np.full((rows, columns, 3), 77, np.uint8)
    small = shrink_picture(picture, width, height)
    assert small.shape == (height, width, 3)
    assert (small == 77).all()


@given(st.floats(-5, 5))
def test_smooth_stays_between_0_and_1(value: float) -> None:
    assert 0 <= float(smooth(value, 0, 1)) <= 1


@pytest.mark.parametrize("sigma", [0.6, 3.0, 9.0, 40.0])
def test_blurring_keeps_an_even_picture_and_lowers_contrast(sigma: float) -> None:
    assert blur(np.full((90, 70), 5, np.float32), sigma) == pytest.approx(5)
    assert blur(noise(90, 70), sigma).std() < noise(90, 70).std()


def test_lab_of_white_and_black() -> None:
    ends = np.array([[[255, 255, 255], [0, 0, 0]]], np.uint8)
    assert lab(ends)[0] == pytest.approx(np.array([[100, 0, 0], [0, 0, 0]]), abs=0.1)
