"""What a caller of the engine can rely on."""

import contextlib

import numpy as np
import pytest

from swaps.engines.classical import Engine, NoFace
from swaps.engines.classical.faces import FaceFinder
from swaps.engines.classical.types import AnyArray, Landmarks, Picture
from tests.engines.classical.conftest import Photo

ALICE, BOB, CHARLIE = "face-woman-frontal", "face-man-frontal", "face-man-beard-smile"


def finder(engine: Engine) -> FaceFinder:
    return engine._finder


def landmarks(engine: Engine, picture: Picture) -> Landmarks:
    face, _ = finder(engine).largest(picture)
    assert face is not None
    return face.landmarks


def changed(result: AnyArray, target: AnyArray) -> AnyArray:
    different = result != target
    return np.asarray(different.any(-1) if different.ndim == 3 else different)


def test_the_face_changes_and_everything_outside_its_silhouette_stays_identical(
    engine: Engine, photo: Photo
) -> None:
    target = photo(CHARLIE)
    result = engine.swap(photo(BOB), target).image

    points = landmarks(engine, target)[:, :2]
    low, high = np.floor(points.min(0)).astype(int), np.ceil(points.max(0)).astype(int)
    outside = np.ones(target.shape[:2], bool)
    outside[low[1] - 1 : high[1] + 1, low[0] - 1 : high[0] + 1] = False
    assert not (changed(result, target) & outside).any()
    x, y = points[4].astype(int)  # the nose's tip
    assert changed(result, target)[y - 20 : y + 20, x - 20 : x + 20].mean() > 0.9


def test_landmarks_of_the_result_are_near_those_of_the_target(engine: Engine, photo: Photo) -> None:
    target = photo(CHARLIE)
    result = engine.swap(photo(BOB), target).image
    before, after = landmarks(engine, target), landmarks(engine, result)
    between_eyes = np.linalg.norm(before[33] - before[263])
    assert np.linalg.norm((after - before)[:, :2], axis=1).mean() < 0.05 * between_eyes


def test_a_face_swapped_with_itself_is_nearly_the_same(engine: Engine, photo: Photo) -> None:
    picture = photo(BOB)
    result = engine.swap(picture, picture).image
    points = landmarks(engine, picture)[:, :2]
    (left, top), (right, bottom) = points.min(0).astype(int), points.max(0).astype(int)
    face = slice(top, bottom), slice(left, right)
    assert np.abs(result[face].astype(int) - picture[face]).mean() < 2
    assert np.abs(result.astype(int) - picture)[changed(result, picture)].mean() < 3.5


def test_equal_inputs_give_equal_results(engine: Engine, photo: Photo) -> None:
    source, target = photo(BOB, 300), photo(CHARLIE, 300)
    first, second = (engine.swap(source, target).image for _ in range(2))
    assert np.array_equal(first, second)


def test_the_inputs_are_not_changed(engine: Engine, photo: Photo) -> None:
    source, target = photo(BOB, 300).copy(), photo(CHARLIE, 300).copy()
    before = source.copy(), target.copy()
    engine.swap(source, target)
    assert np.array_equal(source, before[0])
    assert np.array_equal(target, before[1])


def test_the_stages_are_reported_in_order(engine: Engine, photo: Photo) -> None:
    stages: list[str] = []
    engine.swap(photo(BOB, 300), photo(CHARLIE, 300), stages.append)
    assert stages == ["detect", "align", "warp", "front", "colour", "detail", "blend"]


def test_a_grey_target_comes_out_grey(engine: Engine, photo: Photo) -> None:
    target = photo(CHARLIE, mode="L")
    result = engine.swap(photo(BOB), target).image
    assert result.shape == target.shape
    assert changed(result, target).mean() > 0.01


def test_a_grey_target_saved_in_colour_stays_exactly_grey(engine: Engine, photo: Photo) -> None:
    target = np.repeat(photo("face-man-monochrome", mode="L")[..., None], 3, axis=2)
    result = engine.swap(photo(BOB), target).image
    assert changed(result, target).any()
    assert (result == result[..., :1]).all()


def test_the_weak_tint_that_jpeg_gives_a_grey_target_does_not_bring_colour_in(
    engine: Engine, photo: Photo
) -> None:
    result = engine.swap(photo(BOB), photo("face-man-monochrome")).image
    assert np.ptp(result, axis=2).max() <= 8


def test_a_grey_source_is_accepted(engine: Engine, photo: Photo) -> None:
    assert engine.swap(photo("face-man-monochrome", mode="L"), photo(CHARLIE)).image.ndim == 3


def test_the_alpha_of_the_target_is_carried_through(engine: Engine, photo: Photo) -> None:
    target = np.array(photo(CHARLIE, mode="RGBA"))
    target[..., 3] = 64 + np.arange(target.shape[1]) % 192
    source = photo(BOB, mode="RGBA")
    result = engine.swap(source, target).image
    assert np.array_equal(result[..., 3], target[..., 3])
    assert np.array_equal(result[..., :3], engine.swap(photo(BOB), target[..., :3]).image)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_16_bits_a_channel_give_what_8_bits_give(engine: Engine, photo: Photo, mode: str) -> None:
    source, target = photo(BOB, 300, mode), photo(CHARLIE, 300, mode)
    wide = [picture.astype(np.uint16) * 257 for picture in (source, target)]
    result = engine.swap(wide[0], wide[1]).image
    assert result.dtype == np.uint8
    assert np.array_equal(result, engine.swap(source, target).image)


@pytest.mark.parametrize("side", ["source", "target"])
def test_a_picture_without_a_face_is_named(engine: Engine, photo: Photo, side: str) -> None:
    pictures = {"source": photo(BOB), "target": photo(CHARLIE)}
    pictures[side] = photo("noface-cap-over-face")
    with pytest.raises(NoFace, match=f"no face was found in the {side} picture") as refusal:
        engine.swap(pictures["source"], pictures["target"])
    assert refusal.value.image == side


def test_of_several_faces_the_largest_is_taken(engine: Engine, photo: Photo) -> None:
    target = photo("group-two-people", 800)
    output = engine.swap(photo(BOB), target)
    assert (output.faces_in_source, output.faces_in_target) == (1, 2)
    columns = np.flatnonzero(changed(output.image, target).any(0))
    assert columns.max() < 480  # the man is on the left, the woman keeps her face


def test_a_face_of_40_pixels_is_swapped(engine: Engine, photo: Photo) -> None:
    target = np.full((500, 500, 3), 128, np.uint8)
    small = photo(CHARLIE, 100)
    target[200 : 200 + small.shape[0], 200 : 200 + small.shape[1]] = small
    assert changed(engine.swap(photo(BOB), target).image, target).any()


def test_a_yaw_that_differs_by_more_than_35_degrees_is_warned_of(
    engine: Engine, photo: Photo
) -> None:
    assert engine.swap(photo(BOB), photo("hard-man-profile")).warnings == ("yaw",)
    assert engine.swap(photo(BOB), photo(CHARLIE)).warnings == ()


@pytest.mark.parametrize("cut", [np.s_[:, :240], np.s_[:, 240:], np.s_[:260], np.s_[190:]], ids=str)
def test_a_face_cut_by_the_border_is_swapped_or_refused(
    engine: Engine, photo: Photo, cut: slice
) -> None:
    part = photo(CHARLIE)[cut]
    for source, target in ((photo(BOB), part), (part, photo(BOB))):
        with contextlib.suppress(NoFace):
            assert engine.swap(source, target).image.shape == target.shape


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 1, 3), (2, 3, 4), (7, 5, 3), (3, 20_000, 3), (20_000, 3), (600, 1, 3)]
)
@pytest.mark.parametrize("value", [0, 128, 255])
def test_tiny_and_extreme_pictures_have_no_face(
    engine: Engine, photo: Photo, shape: tuple[int, ...], value: int
) -> None:
    odd = np.full(shape, value, np.uint8)
    with pytest.raises(NoFace):
        engine.swap(odd, photo(BOB, 100))


def test_noise_is_no_face(engine: Engine) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (600, 700, 3), np.uint8)
    with pytest.raises(NoFace):
        engine.swap(noise, noise)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((0, 0, 3), np.uint8),
        np.zeros((9, 9, 2), np.uint8),
        np.zeros((9, 9, 3), np.float32),
        np.zeros(9, np.uint8),
    ],
)
def test_what_is_no_picture_is_refused(engine: Engine, array: AnyArray) -> None:
    with pytest.raises(ValueError, match="not a picture"):
        engine.swap(array, array)


def test_a_12_megapixel_portrait_keeps_its_size_and_its_surroundings(
    engine: Engine, photo: Photo
) -> None:
    side = 3464
    small = photo(CHARLIE, 1000)
    rows, columns = (np.arange(side) * size // side for size in small.shape[:2])
    target = small[rows][:, columns]
    result = engine.swap(photo(BOB, 1000), target).image
    assert result.shape == target.shape
    different = changed(result, target)
    assert 0.05 < different.mean() < 0.5
    assert not different[:100].any()
    assert not different[:, :100].any()
    assert not different[-100:].any()
