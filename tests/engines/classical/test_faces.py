"""Which faces a picture has, and which of them are swapped."""

import time

import numpy as np
import pytest
from PIL import Image, ImageFilter

from swaps.engines.classical import Engine, NoFace, SameFace
from swaps.engines.classical.choose import face_at
from swaps.engines.classical.geometry import pose
from swaps.engines.classical.mesh import CANONICAL
from swaps.engines.classical.portrait import portrait
from swaps.engines.classical.pyramid import Pyramid
from swaps.engines.classical.types import AnyArray, DetectedFace, Landmarks, Pair, Picture, Point
from tests.engines.classical.conftest import Photo

ALICE, BOB, CHARLIE = "face-woman-frontal", "face-man-frontal", "face-man-beard-smile"
COUPLE = "group-two-people"


def changed(result: AnyArray, target: AnyArray) -> AnyArray:
    return np.asarray((result != target).any(-1))


def middle(face: DetectedFace, picture: Picture) -> Point:
    x, y, width, height = face.box
    return (x + width / 2) / picture.shape[1], (y + height / 2) / picture.shape[0]


def box_of(face: DetectedFace) -> tuple[slice, slice]:
    x, y, width, height = face.box
    return (
        slice(max(0, int(y) - 1), int(y + height) + 2),
        slice(max(0, int(x) - 1), int(x + width) + 2),
    )


# --- what is told of a face ----------------------------------------------------------------


def test_the_faces_of_a_picture_come_largest_first(engine: Engine, photo: Photo) -> None:
    faces = engine.faces(photo(COUPLE, 800))
    assert len(faces) == 2
    assert faces[0].size > faces[1].size > 30
    assert all(face.is_whole for face in faces)


def test_equal_pictures_have_equal_faces(engine: Engine, photo: Photo) -> None:
    first, second = (engine.faces(photo(COUPLE, 800)) for _ in range(2))
    assert [f.box for f in first] == [f.box for f in second]
    assert [f.sharpness for f in first] == [f.sharpness for f in second]


def test_a_picture_without_a_face_has_none(engine: Engine, photo: Photo) -> None:
    assert engine.faces(photo("noface-cap-over-face")) == []


def test_a_face_of_which_half_is_missing_is_not_whole(engine: Engine, photo: Photo) -> None:
    (whole,) = engine.faces(photo(CHARLIE))
    nose = int(whole.landmarks[4, 0])
    faces = engine.faces(np.ascontiguousarray(photo(CHARLIE)[:, nose - 20 :]))
    assert [face.is_whole for face in faces] in ([], [False])


def test_a_face_under_transparent_pixels_is_none(engine: Engine, photo: Photo) -> None:
    hidden = np.dstack([photo(CHARLIE), np.zeros(photo(CHARLIE).shape[:2], np.uint8)])
    assert engine.faces(hidden) == []


def test_yaw_is_positive_towards_the_left_of_the_picture(engine: Engine, photo: Photo) -> None:
    picture = photo("hard-man-profile")
    (face,) = engine.faces(picture)
    (mirrored,) = engine.faces(np.ascontiguousarray(picture[:, ::-1]))
    nose_side = face.landmarks[4, 0] - (face.landmarks[234, 0] + face.landmarks[454, 0]) / 2
    assert abs(face.yaw) > 35
    assert (face.yaw > 0) == (nose_side < 0)
    assert mirrored.yaw == pytest.approx(-face.yaw, abs=10)


@pytest.mark.parametrize("degrees", [-30, 30, 90])
def test_roll_is_clockwise(engine: Engine, photo: Photo, degrees: int) -> None:
    upright = Image.fromarray(photo(ALICE))
    turned = upright.rotate(-degrees, expand=True, fillcolor=(128, 128, 128))
    (before,), (after,) = engine.faces(upright), engine.faces(turned)
    assert after.roll - before.roll == pytest.approx(degrees, abs=4)


def test_pitch_is_positive_when_a_face_looks_up() -> None:
    c, s = np.cos(np.radians(20)), np.sin(np.radians(20))
    nods = np.array([[1, 0, 0], [0, c, -s], [0, s, c]])  # the chin goes away from the viewer
    down = CANONICAL @ nods.T
    assert down[4, 1] > CANONICAL[4, 1]  # the tip of the nose is lower
    level = pose(CANONICAL.astype(np.float32)).pitch
    assert pose(down.astype(np.float32)).pitch == pytest.approx(level - 20, abs=0.1)


def test_a_blurred_face_is_less_sharp(engine: Engine, photo: Photo) -> None:
    picture = Image.fromarray(photo(BOB))
    found = [
        engine.faces(picture.filter(ImageFilter.GaussianBlur(radius)))[0].sharpness
        for radius in (0, 1, 2, 4)
    ]
    assert found == sorted(found, reverse=True)
    assert found[0] > 0.4
    assert found[3] < 0.2


def test_the_sharpness_of_an_even_area_is_0(engine: Engine, photo: Photo) -> None:
    (face,) = engine.faces(photo(BOB))
    even = portrait(Pyramid(np.full((500, 500, 3), 90, np.uint8)), face.landmarks)
    assert even.own_sharpness < 1e-5


# --- small faces and extreme shapes --------------------------------------------------------


def shrunk(engine: Engine, picture: Picture, size: int) -> Image.Image:
    """The picture, so small that its face has ``size`` pixels."""
    (face,) = engine.faces(picture)
    rows, columns = (max(1, round(side * size / face.size)) for side in picture.shape[:2])
    return Image.fromarray(picture).resize((columns, rows), Image.Resampling.BOX)


@pytest.mark.parametrize("name", [ALICE, BOB, CHARLIE])
@pytest.mark.parametrize("size", [20, 24])
def test_a_face_of_20_pixels_is_found_and_swapped(
    engine: Engine, photo: Photo, name: str, size: int
) -> None:
    small = np.asarray(shrunk(engine, photo(name), size))
    (face,) = engine.faces(small)
    assert face.size == pytest.approx(size, rel=0.15)
    assert changed(engine.swap(photo(BOB), small).image, small).any()


def test_a_face_of_20_pixels_is_found_in_a_large_picture(engine: Engine, photo: Photo) -> None:
    scene = Image.new("RGB", (1200, 900), (90, 110, 80))
    scene.paste(shrunk(engine, photo(BOB), 22), (700, 350))
    (face,) = engine.faces(scene)
    assert 690 < face.box[0] < 730
    assert 340 < face.box[1] < 380


@pytest.mark.parametrize(
    ("width", "height", "size"), [(1080, 20_000, 300), (20_000, 300, 150), (40, 4000, 30)]
)
def test_faces_are_found_in_extreme_shapes(
    engine: Engine, photo: Photo, width: int, height: int, size: int
) -> None:
    scene = Image.new("RGB", (width, height), (90, 110, 80))
    face = shrunk(engine, photo(BOB), size)
    scene.paste(face, ((width - face.width) // 2, (height - face.height) // 2))
    assert len(engine.faces(scene)) == 1


def test_a_strip_that_is_500_times_as_long_as_wide_is_searched_within_seconds(
    engine: Engine,
) -> None:
    started = time.process_time()
    assert engine.faces(np.full((10_000, 20, 3), 128, np.uint8)) == []
    assert time.process_time() - started < 10


# --- which face a point means --------------------------------------------------------------


def square(x: float, y: float, side: float) -> Landmarks:
    """A face whose box is a square."""
    face = np.zeros((468, 3), np.float32)
    face[:, 0], face[:, 1] = x + side / 2, y + side / 2
    face[0, :2], face[1, :2] = (x, y), (x + side, y + side)
    return face


@pytest.mark.parametrize(
    ("point", "meant"),
    [
        ((0.2, 0.2), 0),  # in the large box only
        ((0.35, 0.35), 1),  # in both: the smaller one
        ((0.9, 0.5), 2),
        ((0.99, 0.5), 2),  # just beside it
        ((0.5, 0.99), None),  # far from all
    ],
)
def test_a_point_means_the_smallest_face_around_it_or_the_nearest(
    point: Point, meant: int | None
) -> None:
    faces = [square(0, 0, 400), square(300, 300, 150), square(850, 450, 100)]
    assert face_at(point, faces, (1000, 1000)) == meant


def test_a_point_just_outside_means_the_nearest_within_one_size_of_its_centre() -> None:
    faces = [square(400, 400, 100)]
    assert face_at((0.45 + 0.099, 0.45), faces, (1000, 1000)) == 0
    assert face_at((0.45 + 0.101, 0.45), faces, (1000, 1000)) is None


# --- several faces in one pass -------------------------------------------------------------


def test_each_face_can_be_chosen(engine: Engine, photo: Photo) -> None:
    target = photo(COUPLE, 800)
    for face in engine.faces(target):
        result = engine.swap(photo(BOB), target, pairs=[(None, middle(face, target))]).image
        different = changed(result, target)
        assert different[box_of(face)].any()
        different[box_of(face)] = False
        assert not different.any()


def test_each_face_of_the_source_can_be_chosen(engine: Engine, photo: Photo) -> None:
    couple, target = photo(COUPLE, 800), photo(CHARLIE)
    results = [
        engine.swap(couple, target, pairs=[(middle(face, couple), None)]).image
        for face in engine.faces(couple)
    ]
    assert changed(results[0], results[1]).any()
    assert np.array_equal(results[0], engine.swap(couple, target).image)


def test_faces_of_one_picture_can_be_exchanged(engine: Engine, photo: Photo) -> None:
    couple = photo(COUPLE, 800)
    man, woman = (middle(face, couple) for face in engine.faces(couple))
    both = engine.swap(couple, couple, pairs=[(man, woman), (woman, man)]).image
    for pair in ((man, woman), (woman, man)):
        alone = engine.swap(couple, couple, pairs=[pair]).image
        different = changed(alone, couple)
        assert different.any()
        assert np.array_equal(both[different], alone[different])  # each reads the original


def test_all_faces_get_the_source_and_nothing_else_changes(engine: Engine, photo: Photo) -> None:
    target = photo(COUPLE, 800)
    stages: list[str] = []
    output = engine.swap(photo(BOB), target, stages.append, pairs=[(None, "all")])
    different = changed(output.image, target)
    for face in engine.faces(target):
        assert different[box_of(face)].any()
        different[box_of(face)] = False
    assert not different.any()
    assert stages.count("detect") == 1
    assert stages.count("blend") == 2


def test_faces_that_overlap_do_not_undo_each_other(engine: Engine, photo: Photo) -> None:
    near = side_by_side(photo)
    faces = engine.faces(near)
    points = [middle(face, near) for face in faces]
    assert len(points) == 2
    both, reverse = (
        engine.swap(photo(BOB), near, pairs=[(None, p) for p in order]).image
        for order in (points, points[::-1])
    )
    alone = [engine.swap(photo(BOB), near, pairs=[(None, p)]).image for p in points]
    apart = ~(changed(alone[0], near) & changed(alone[1], near))
    assert np.array_equal(both[apart], reverse[apart])
    for result in alone:
        here = changed(result, near) & apart
        assert np.array_equal(both[here], result[here])


def side_by_side(photo: Photo) -> Picture:
    left, right = photo(CHARLIE), photo(ALICE)
    rows = min(len(left), len(right))
    return np.concatenate([left[:rows], right[:rows]], axis=1)


def test_a_face_named_twice_is_refused(engine: Engine, photo: Photo) -> None:
    target = photo(COUPLE, 800)
    with pytest.raises(SameFace, match="same face of the target"):
        engine.swap(photo(BOB), target, pairs=[(None, "all"), (None, None)])


@pytest.mark.parametrize(
    ("pair", "image"),
    [(((0.0, 1.0), None), "source"), ((None, (0.0, 1.0)), "target")],
)
def test_a_point_on_no_face_names_the_picture(
    engine: Engine, photo: Photo, pair: Pair, image: str
) -> None:
    with pytest.raises(NoFace) as refusal:
        engine.swap(photo(BOB), photo(CHARLIE), pairs=[pair])
    assert refusal.value.image == image


def test_no_pairs_are_refused(engine: Engine, photo: Photo) -> None:
    with pytest.raises(ValueError, match="no pairs"):
        engine.swap(photo(BOB), photo(CHARLIE), pairs=[])


# --- advice about a face -------------------------------------------------------------------


def advice(engine: Engine, picture: Picture) -> tuple[str, ...]:
    return engine.faces(picture)[0].advice


def test_a_good_photo_needs_no_advice(engine: Engine, photo: Photo) -> None:
    for name in (ALICE, BOB, CHARLIE):
        assert advice(engine, photo(name)) == ()


def test_what_may_spoil_a_swap_is_advised_against(engine: Engine, photo: Photo) -> None:
    assert advice(engine, photo("hard-man-profile")) == ("turned",)
    assert advice(engine, photo(COUPLE, 800)) == ("several",)
    assert advice(engine, photo(BOB, 120)) == ("small",)
    soft = Image.fromarray(photo(BOB)).filter(ImageFilter.GaussianBlur(6))
    assert advice(engine, np.asarray(soft)) == ("blurred",)
    assert advice(engine, (photo(BOB) * 0.2).astype(np.uint8)) == ("dark",)


def test_what_is_in_front_of_a_face_is_told(engine: Engine, photo: Photo) -> None:
    picture = photo(BOB).copy()
    face = engine.faces(picture)[0]
    (left, _), (right, _) = (face.landmarks[i, :2].astype(int) for i in (33, 263))
    row = int(face.landmarks[[33, 263], 1].mean())
    reach = (right - left) // 4
    lenses = picture.copy()
    for middle in (left + reach // 2, right - reach // 2):
        lenses[row - reach : row + reach, middle - reach : middle + reach] = 15
    lenses[row - 4 : row + 4, left - 3 * reach : right + 3 * reach] = 15
    assert "sunglasses" in advice(engine, lenses)
    mouth = int(face.landmarks[13, 1])
    picture[mouth - reach : mouth + 2 * reach, left:right] = (40, 90, 200)  # a mask
    assert "covered" in advice(engine, picture)


def test_a_face_cut_by_the_edge_is_told(engine: Engine, photo: Photo) -> None:
    picture = photo(BOB)
    face = engine.faces(picture)[0]
    x, _, width, _ = face.box
    half = picture[:, int(x + 0.2 * width) :]
    assert "cut" in advice(engine, half)


# --- several sources, one target -----------------------------------------------------------


def test_each_source_gives_its_face_to_the_face_it_is_paired_with(
    engine: Engine, photo: Photo
) -> None:
    target = photo(COUPLE, 800)
    man, woman = (middle(face, target) for face in engine.faces(target))
    both = engine.swap_several(
        [(photo(BOB), [(None, woman)]), (photo(ALICE), [(None, man)])], target
    )
    for source, place, face in (
        (BOB, woman, engine.faces(target)[1]),
        (ALICE, man, engine.faces(target)[0]),
    ):
        alone = engine.swap(photo(source), target, pairs=[(None, place)])
        assert np.array_equal(both.image[box_of(face)], alone.image[box_of(face)])
        assert changed(both.image, target)[box_of(face)].mean() > 0.2
    assert len(both.measures) == 2


def test_two_sources_cannot_give_to_one_face(engine: Engine, photo: Photo) -> None:
    with pytest.raises(SameFace):
        engine.swap_several(
            [(photo(BOB), [(None, None)]), (photo(ALICE), [(None, "all")])], photo(COUPLE, 800)
        )


def test_a_source_without_a_place_is_a_mistake(engine: Engine, photo: Photo) -> None:
    with pytest.raises(ValueError, match="no pairs"):
        engine.swap_several([(photo(BOB), [])], photo(COUPLE, 800))
