"""The embedded provider: which faces of stored pictures it swaps, and what it sees in them."""

import io

import numpy as np
import pytest
from PIL import Image

from swaps import errors, images, storage
from swaps.engines.classical.types import AnyArray
from swaps.models.swap_pairs import Pair
from swaps.providers import embedded
from swaps.providers.base import Finished, SwapRequest
from tests.parts import on_one_database
from tests.pictures import real

pytestmark = on_one_database

BOB, ALICE, COUPLE = "face-man-frontal", "face-woman-frontal", "group-two-people"
MAN, WOMAN, NOBODY = [0.42, 0.3], [0.7, 0.4], [0.02, 0.98]


def stored(name: str) -> str:
    key = f"swaps/{name}.jpg"
    storage.put(key, real(name).data)
    return key


def swapped(*sources: str, pairs: tuple[Pair, ...] = ()) -> Finished:
    return embedded.submit(
        SwapRequest(source_keys=tuple(map(stored, sources)), target_key=stored(COUPLE), pairs=pairs)
    )


def changed_columns(result: Finished) -> AnyArray:
    before, after = (
        np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), np.int16)
        for data in (real(COUPLE).data, result.data)
    )
    columns = np.flatnonzero((np.abs(before - after) > 40).any((0, 2)))
    return np.asarray(columns / before.shape[1])


def pair(source: int = 0, target: object = None) -> Pair:
    return Pair(source=source, source_face=None, target_face=target)  # type: ignore[typeddict-item]


def test_without_a_choice_the_largest_is_taken_and_that_is_said() -> None:
    result = swapped(BOB)
    assert changed_columns(result).max() < 0.6
    assert "several_faces" in result.warnings


def test_the_face_at_the_point_is_replaced() -> None:
    result = swapped(BOB, pairs=(pair(target=WOMAN),))
    assert changed_columns(result).min() > 0.6
    assert "several_faces" not in result.warnings


def test_all_faces_are_replaced() -> None:
    columns = changed_columns(swapped(BOB, pairs=(pair(target="all"),)))
    assert columns.min() < 0.5
    assert columns.max() > 0.6


def test_two_sources_go_onto_two_faces() -> None:
    pairs = (pair(0, WOMAN), pair(1, MAN))
    columns = changed_columns(swapped(BOB, ALICE, pairs=pairs))
    assert columns.min() < 0.5
    assert columns.max() > 0.6


def test_several_sources_are_reduced_before_they_are_all_in_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pairs = (pair(0, WOMAN), pair(1, MAN))
    assert "small_face" not in swapped(BOB, ALICE, pairs=pairs).warnings
    monkeypatch.setattr(embedded, "SEVERAL_SIDE", 150)
    assert "small_face" in swapped(BOB, ALICE, pairs=pairs).warnings


def test_a_point_beside_the_faces_is_refused_with_their_number() -> None:
    with pytest.raises(errors.NoFace, match="Faces in that photo: 2") as refusal:
        swapped(BOB, pairs=(pair(target=NOBODY),))
    assert refusal.value.image == "target"


def test_one_face_cannot_be_replaced_twice() -> None:
    with pytest.raises(errors.BadRequest, match="Two faces"):
        swapped(BOB, ALICE, pairs=(pair(0, MAN), pair(1, "all")))


def test_what_a_picture_shows_is_told_in_shares_of_it() -> None:
    seen = embedded.look(stored(COUPLE))
    assert (seen.width, seen.height) == images.dimensions(real(COUPLE).data)
    man, woman = seen.faces
    assert man["x"] < MAN[0] < man["x"] + man["width"]
    assert woman["y"] < WOMAN[1] < woman["y"] + woman["height"]
    assert man["advice"] == ["several"]
    assert set(man) == {
        *("x", "y", "width", "height", "yaw", "pitch", "roll", "sharpness", "advice")
    }
