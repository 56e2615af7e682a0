"""Pictures that once gave a wrong result and called it a success."""

import io
import time

import cv2
import numpy as np
import pytest
from PIL import Image

from swaps.engines.classical import Engine, NoFace
from swaps.engines.classical.mesh import CANONICAL, LEFT_EYE, LIPS, RIGHT_EYE
from swaps.engines.classical.pyramid import Pyramid
from swaps.engines.classical.types import AnyArray, Landmarks, Picture
from swaps.engines.classical.whole import has_seam
from tests.engines.classical.conftest import Photo
from tests.paths import CASES, PHOTOS

ALICE, BOB, CHARLIE = "face-woman-frontal", "face-man-frontal", "face-man-beard-smile"


def case(name: str, mode: str = "RGB") -> Picture:
    with Image.open(CASES / name) as image:
        return np.asarray(image.convert(mode))


def landmarks(engine: Engine, picture: Picture) -> Landmarks:
    face, _ = engine._finder.largest(picture)
    assert face is not None
    return face.landmarks


# --- sharpness -----------------------------------------------------------------------------


def edges(picture: Picture, points: Landmarks, rings: list[list[int]]) -> float:
    """How strong the strong edges (90th percentile) within the rings are, levels a pixel."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    slope = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    mask = np.zeros(grey.shape, np.uint8)
    for ring in rings:
        cv2.fillPoly(mask, [points[ring, :2].round().astype(np.int32)], 1)
    mask = np.asarray(cv2.dilate(mask, np.ones((5, 5), np.uint8)))
    return float(np.percentile(slope[mask > 0], 90)) / 4


@pytest.mark.parametrize("rings", [[RIGHT_EYE, LEFT_EYE], [LIPS]], ids=["eyes", "mouth"])
def test_a_beard_on_smooth_skin_does_not_blur_the_face(
    engine: Engine, rings: list[list[int]]
) -> None:
    target = case("blur-target-smooth-skin.jpg")
    result = engine.swap(case("blur-source-beard-glasses.jpg"), target).image
    points = landmarks(engine, target)
    assert edges(result, points, rings) >= 0.85 * edges(target, points, rings)


def test_a_blurred_target_gets_a_blurred_face(engine: Engine, photo: Photo) -> None:
    sharp = photo(CHARLIE)
    blurred = np.asarray(cv2.GaussianBlur(sharp, (0, 0), 3), np.uint8)
    points, rings = landmarks(engine, sharp), [RIGHT_EYE, LEFT_EYE, LIPS]
    before, after = (
        edges(engine.swap(photo(BOB), t).image, points, rings) for t in (sharp, blurred)
    )
    assert after < 0.6 * before


# --- transparency --------------------------------------------------------------------------


@pytest.mark.parametrize("alpha", [0, 1, 20])
def test_a_larger_face_that_is_transparent_is_not_seen(
    engine: Engine, photo: Photo, alpha: int
) -> None:
    picture = case("hidden-face-alpha0.webp", "RGBA").copy()
    picture[..., 3] = np.maximum(picture[..., 3], alpha)
    output = engine.swap(photo(BOB), picture)
    rows, columns = np.nonzero((output.image != picture).any(-1))
    assert output.faces_in_target == 1
    assert columns.min() > 365  # the man on the right is all that one sees
    assert rows.min() > 225


@pytest.mark.parametrize("side", ["source", "target"])
def test_where_only_transparent_faces_are_there_is_no_face(
    engine: Engine, photo: Photo, side: str
) -> None:
    pictures = {"source": photo(BOB), "target": photo(CHARLIE)}
    pictures[side] = np.dstack([pictures[side], np.full(pictures[side].shape[:2], 3, np.uint8)])
    with pytest.raises(NoFace) as refusal:
        engine.swap(pictures["source"], pictures["target"])
    assert refusal.value.image == side


# --- halves --------------------------------------------------------------------------------


def halves(engine: Engine, photo: Photo) -> dict[str, Picture]:
    """Half of one face, and the other half missing, hidden, or somebody else's."""
    whole, other = photo(BOB), photo(ALICE)
    points, others = landmarks(engine, whole), landmarks(engine, other)
    x, y = points[1, :2].astype(int)
    eyes, to_eyes = (p[[33, 263], :2].astype(float) for p in (others, points))
    turn = np.diff(to_eyes @ [1, 1j]) / np.diff(eyes @ [1, 1j])
    scale = np.array([[turn[0].real, -turn[0].imag], [turn[0].imag, turn[0].real]])
    move = np.column_stack([scale, to_eyes[0] - scale @ eyes[0]])
    rows, columns = whole.shape[:2]
    moved = np.asarray(cv2.warpAffine(other, move, (columns, rows)), np.uint8)
    opaque = np.full((rows, columns, 1), 255, np.uint8)
    right_hidden = np.concatenate([whole, opaque], axis=2)
    right_hidden[:, x:, 3] = 0
    return {
        "left only": whole[:, :x],
        "right only": whole[:, x:],
        "upper only": whole[:y],
        "lower only": whole[y:],
        "left and another's right": np.concatenate([whole[:, :x], moved[:, x:]], axis=1),
        "upper and another's lower": np.concatenate([whole[:y], moved[y:]]),
        "right transparent": right_hidden,
    }


def test_half_a_face_is_no_source(engine: Engine, photo: Photo) -> None:
    made = halves(engine, photo) | {"the case": case("half-face-source.png")}
    for name, source in made.items():
        with pytest.raises(NoFace) as refusal:
            pytest.fail(f"swapped: {name}, {engine.swap(source, photo(CHARLIE)).warnings}")
        assert refusal.value.image == "source"


def test_turned_halves_of_two_faces_are_no_source(engine: Engine, photo: Photo) -> None:
    both = halves(engine, photo)["left and another's right"]
    for quarters in (1, 2, 3):
        with pytest.raises(NoFace):
            engine.swap(np.rot90(both, quarters), photo(CHARLIE))


def test_beside_half_a_face_a_whole_one_is_taken(engine: Engine, photo: Photo) -> None:
    small = photo(CHARLIE, 250)
    both = halves(engine, photo)["left and another's right"].copy()
    picture = np.full((both.shape[0], both.shape[1] + small.shape[1], 3), 128, np.uint8)
    picture[:, : both.shape[1]] = both
    picture[: small.shape[0], both.shape[1] :] = small
    assert engine.swap(picture, photo(BOB)).faces_in_source == 2


@pytest.mark.parametrize("name", sorted(p.stem for p in PHOTOS.glob("[fgh]*.jpg")))
def test_honest_photos_are_whole(engine: Engine, photo: Photo, name: str) -> None:
    face, _ = engine._finder.largest(photo(name), must_be_whole=True)
    assert face is not None


@pytest.mark.parametrize("name", sorted(p.stem for p in PHOTOS.glob("face-*.jpg")))
def test_the_blocks_of_a_compressed_photo_are_no_seams(
    engine: Engine, photo: Photo, name: str
) -> None:
    for side in (200, 300):
        file = io.BytesIO()
        Image.fromarray(photo(name, side)).save(file, "JPEG", quality=20)
        with Image.open(file) as image:
            picture = np.asarray(image)
        face, _ = engine._finder.largest(picture, must_be_whole=True)
        assert face is not None, side


def test_a_straight_edge_that_crosses_a_leaning_face_aslant_is_no_seam() -> None:
    points = CANONICAL * 300
    turn = np.array([[0.64, 0.77], [-0.77, 0.64]])  # by 50°
    points[:, :2] = points[:, :2] @ turn + 250
    picture = np.full((500, 500, 3), 120, np.uint8)
    picture[:, 250:] = 160
    assert not has_seam(points.astype(np.float32), Pyramid(picture))
    upright = CANONICAL * 300 + [250, 250, 0]
    assert has_seam(upright.astype(np.float32), Pyramid(picture))


# --- shapes --------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(1080, 20_000), (5000, 700), (3000, 4000)])
def test_a_small_face_is_found_in_a_picture_of_any_shape(
    engine: Engine, photo: Photo, shape: tuple[int, int]
) -> None:
    picture = np.full((*shape, 3), 128, np.uint8)
    small = photo(CHARLIE, 220)
    y, x = (int(0.61 * (side - n)) for side, n in zip(shape, small.shape, strict=False))
    picture[y : y + small.shape[0], x : x + small.shape[1]] = small
    centre = landmarks(engine, picture)[:, :2].mean(0)
    assert abs(centre - [x + 110, y + 110]).max() < 60


def test_the_tall_case_is_swapped(engine: Engine, photo: Photo) -> None:
    target = case("tall-1080x20000.jpg")
    result: AnyArray = engine.swap(photo(BOB), target).image
    assert (result != target).any()


def test_a_long_picture_without_a_face_takes_seconds_at_most(engine: Engine) -> None:
    picture = np.full((10_000, 500, 3), 128, np.uint8)
    started = time.process_time()
    face, _ = engine._finder.largest(picture)
    assert face is None
    assert time.process_time() - started < 6
