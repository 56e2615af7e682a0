"""Composes samples: a face, deceptions, things in front, and a camera. Writes them by shards."""

import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from swaps.engines.classical.square import SIDE, Maps, channels
from swaps.engines.classical.types import AnyArray, Floats
from tools.parse_training.beards import beard
from tools.parse_training.faces import IGNORED, Base
from tools.parse_training.glasses import glasses
from tools.parse_training.light import DECEPTIONS
from tools.parse_training.scene import Scene, blurred, floats
from tools.parse_training.things import cloth, hand, stick, strands, thing

SHARD = 150
COLOUR_STEPS, MAP_STEPS = 25, 60  # samples are stored as int8, in these parts of one
_CHANCES = ((strands, 0.2), (hand, 0.14), (stick, 0.12), (thing, 0.07), (cloth, 0.1))


def compose(base: Base, donors: Sequence[Base], dice: np.random.Generator) -> Scene:
    """Return a face with what was drawn on it, before the camera."""
    scene = Scene(
        base=base, donors=donors, picture=base.picture.copy(), labels=base.labels.copy(), dice=dice
    )
    for _ in range(int(dice.choice([0, 1, 2, 3], p=[0.25, 0.35, 0.25, 0.15]))):
        DECEPTIONS[dice.integers(len(DECEPTIONS))](scene)
    if scene.happens(0.2) and not {"beard", "stubble"} & set(base.face.kinds):
        beard(scene)
    if scene.happens(0.36) and not {"glasses", "dark lenses"} & set(base.face.kinds):
        glasses(scene)
    for draw, chance in _CHANCES:
        if scene.happens(chance):
            draw(scene)
    near = cv2.dilate((base.maps.hull > 0.5).astype(np.uint8), np.ones((5, 5))) > 0
    scene.labels[~near] = IGNORED
    return scene


def photograph(scene: Scene) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8], Maps]:
    """Return picture (uint8), labels and maps, turned, shifted, mirrored, exposed and compressed.

    The mesh sits a little beside the face, as the landmarks' network places it.
    """
    dice, between = scene.dice, scene.between
    move = _movement(dice)
    jittered = move.copy()
    jittered[:, 2] += dice.normal(0, 0.8, 2)
    stacked = scene.base.maps.stacked()
    stacked[..., 0] *= np.sign(np.linalg.det(move[:, :2]))
    stacked = _moved(stacked, move)
    picture = _moved(floats(np.clip(scene.picture, 0, 255)), jittered)
    labels = cv2.warpAffine(
        scene.labels, jittered, (SIDE, SIDE), flags=cv2.INTER_NEAREST,
        borderMode=cv2.BORDER_CONSTANT, borderValue=(IGNORED,),
    )  # fmt: skip
    picture = _exposed(picture, scene)
    if scene.happens(0.35):  # a small face, enlarged
        side = int(SIDE * between(0.3, 0.9))
        small = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
        picture = floats(cv2.resize(small, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR))
    if scene.happens(0.2):
        picture = blurred(picture, between(0.4, 1.4))
    grain = dice.standard_normal((SIDE, SIDE, 3), np.float32) * between(0, 6)
    exact = np.clip(picture + grain, 0, 255).astype(np.uint8)
    if scene.happens(0.3):
        packed = cv2.imencode(".jpg", exact, [cv2.IMWRITE_JPEG_QUALITY, int(dice.integers(30, 92))])
        exact = np.asarray(cv2.imdecode(packed[1], cv2.IMREAD_COLOR), np.uint8)
    return exact, np.asarray(labels, np.uint8), Maps.unstacked(stacked)


def _moved(values: Floats, move: AnyArray) -> Floats:
    return floats(cv2.warpAffine(values, move, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE))


def _movement(dice: np.random.Generator) -> AnyArray:
    angle, scale = np.radians(dice.normal(0, 5)), np.exp(dice.normal(0, 0.05))
    mirror = float(dice.choice([-1, 1]))
    c, s = scale * np.cos(angle), scale * np.sin(angle)
    turn = np.array([[mirror * c, -s], [mirror * s, c]])
    centre = SIDE / 2
    return np.column_stack([turn, centre - turn @ [centre, centre] + dice.normal(0, 3, 2)])


def _exposed(picture: Floats, scene: Scene) -> Floats:
    dice = scene.dice
    gamma, contrast = np.exp(dice.normal(0, 0.25)), np.exp(dice.normal(0, 0.15))
    toned = 255 * (picture / 255) ** np.float32(gamma)
    toned = (toned - 128) * np.float32(contrast) + np.float32(128 + dice.normal(0, 12))
    picture = floats(toned * np.exp(dice.normal(0, 0.08, 3)))
    if scene.happens(0.08):
        picture = floats(np.repeat(picture.mean(2, keepdims=True), 3, 2))
    if scene.happens(0.2):
        ends = scene.between(0.4, 1), scene.between(0.6, 1.4)
        slope = floats(np.linspace(*ends, SIDE))
        picture = picture * (slope[None, :, None] if scene.happens(0.7) else slope[:, None, None])
    return picture


def write_shard(path: Path, bases: Sequence[Base], seed: int) -> float:
    """Write a shard of samples drawn on these people alone; return the seconds of a sample."""
    dice = np.random.default_rng(seed)
    started = time.perf_counter()
    colours = np.empty((SHARD, SIDE, SIDE, 3), np.int8)
    maps = np.empty((SHARD, SIDE // 2, SIDE // 2, 6), np.int8)
    labels = np.empty((SHARD, SIDE, SIDE), np.uint8)
    for i in range(SHARD):
        scene = compose(bases[int(dice.integers(len(bases)))], bases, dice)
        picture, labels[i], seen = photograph(scene)
        colour, stacked = channels(picture, seen)
        colours[i] = np.round(colour * COLOUR_STEPS)
        maps[i] = np.round(np.clip(stacked, -2, 2) * MAP_STEPS)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part.npz")
    np.savez(part, colours=colours, maps=maps, labels=labels)
    part.replace(path)
    return (time.perf_counter() - started) / SHARD
