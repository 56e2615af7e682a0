"""The parse network's training: its faces, what is drawn on them, and the file that ships."""

import hashlib
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from swaps.engines.classical.square import SIDE, channels
from swaps.engines.classical.types import AnyArray
from tests.paths import PHOTOS, ROOT
from tools.parse_training import light, samples, things
from tools.parse_training.beards import beard
from tools.parse_training.evaluate import load_network, threshold
from tools.parse_training.faces import BEARD, GLASSES, IGNORED, OTHER, Base, faces, labels_of, load
from tools.parse_training.glasses import glasses
from tools.parse_training.scene import Scene, ellipse

SHIPPED = ROOT / "swaps" / "engines" / "classical" / "parse.tflite"
DRAWN: dict[things.Drawing, int] = {
    glasses: GLASSES, beard: BEARD, things.strands: OTHER, things.hand: OTHER, things.stick: OTHER,
    things.thing: OTHER, things.cloth: OTHER,
}  # fmt: skip
# Each set is one person, in several photos.
SAME_PERSON = (
    {"small-man", "group-two-people"},
    {"small-woman", "group-two-people@1"},
)


@pytest.fixture(scope="module")
def base() -> Base:
    face = next(face for face in faces() if face.name == "face-woman-frontal")
    return load(face, PHOTOS)


def scene(base: Base, seed: int) -> Scene:
    return Scene(
        base=base,
        donors=[base],
        picture=base.picture.copy(),
        labels=np.zeros((SIDE, SIDE), np.uint8),
        dice=np.random.default_rng(seed),
    )


def changed(scene: Scene) -> AnyArray:
    return np.asarray(np.abs(scene.picture - scene.base.picture).max(2) > 0.5)


def test_each_face_has_labels_a_fold_and_a_licence() -> None:
    for face in faces():
        labels = labels_of(face.name)
        assert labels.shape == (SIDE, SIDE)
        assert set(np.unique(labels)) <= {0, BEARD, GLASSES, OTHER, IGNORED}
        assert face.fold in {0, 1, 2}
        assert face.licence in {"CC0-1.0", "MIT"}
        assert set(face.kinds) <= {"glasses", "dark lenses", "beard", "stubble"}


def test_nobody_is_in_two_folds() -> None:
    folds = defaultdict(set)
    for face in faces():
        for person in SAME_PERSON:
            if face.name in person:
                folds[frozenset(person)].add(face.fold)
    assert [len(found) for found in folds.values()] == [1, 1]


@pytest.mark.parametrize("draw", DRAWN, ids=lambda draw: draw.__name__)
def test_what_is_labelled_was_drawn_and_has_one_label(base: Base, draw: things.Drawing) -> None:
    labelled = 0
    for seed in range(6):
        drawn = scene(base, seed)
        draw(drawn)
        assert set(np.unique(drawn.labels)) <= {0, DRAWN[draw], IGNORED}
        there = drawn.labels == DRAWN[draw]
        assert not there.any() or changed(drawn)[there].mean() > 0.9
        labelled += int(there.sum())
    assert labelled > 100


@pytest.mark.parametrize("deceive", light.DECEPTIONS, ids=lambda deceive: deceive.__name__)
def test_light_and_make_up_change_pixels_and_no_label(base: Base, deceive: things.Drawing) -> None:
    seen = 0
    for seed in range(4):
        drawn = scene(base, seed)
        deceive(drawn)
        assert not drawn.labels.any()
        assert np.isfinite(drawn.picture).all()
        seen += int(changed(drawn).sum())
    assert seen > 50


def test_the_camera_moves_picture_labels_and_maps_together(base: Base) -> None:
    drawn = scene(base, 3)
    drawn.picture[:] = 0
    drawn.picture[60:130, 40:90] = 255
    drawn.labels[60:130, 40:90] = OTHER
    picture, labels, maps = samples.photograph(drawn)
    bright = picture.max(2) > picture.max() / 2
    assert bright[labels == OTHER].mean() > 0.95
    assert bright[labels == 0].mean() < 0.05
    x = maps.canonical[..., 0]  # to the right, in the mirrored picture too
    assert (x[:, : SIDE // 3] < 0).all()
    assert (x[:, -SIDE // 3 :] > 0).all()


def test_equal_seeds_draw_equal_samples(base: Base) -> None:
    one, other = (samples.compose(base, [base], np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(one.picture, other.picture)
    np.testing.assert_array_equal(one.labels, other.labels)


def test_a_threshold_is_the_lowest_that_is_precise_enough() -> None:
    assert threshold([0.9, 0.8, 0.4, 0.2], [True, True, False, True]) == pytest.approx(0.6)
    assert threshold([0.9, 0.1], [False, True]) > 0.9


def test_the_shipped_network_is_the_one_whose_hash_is_written_beside_it() -> None:
    written = SHIPPED.with_name("parse.tflite.sha256").read_text(encoding="utf-8").split()[0]
    assert hashlib.sha256(SHIPPED.read_bytes()).hexdigest() == written
    assert SHIPPED.stat().st_size < 2_000_000


def test_the_shipped_network_finds_dark_glasses_where_they_are_drawn(base: Base) -> None:
    network = load_network(Path(SHIPPED))
    drawn = scene(base, 0)
    lenses = np.zeros((SIDE, SIDE), np.float32)
    for side in (-1, 1):
        eye = drawn.place((side * 0.22, -0.2, -0.1))[0]
        lenses = np.maximum(lenses, ellipse(eye, (22, 16)))
    drawn.lay(lenses, 20.0, GLASSES)
    bare = network(*channels(base.picture, base.maps))[..., GLASSES]
    worn = network(*channels(drawn.picture, base.maps))[..., GLASSES]
    assert worn[lenses > 0.5].mean() > 0.7
    assert bare[lenses > 0.5].mean() < 0.1
