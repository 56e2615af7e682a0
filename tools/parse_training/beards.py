"""Draws beards: another person's moved to this face, or hair of noise in the zone of beards."""

import cv2
import numpy as np

from swaps.engines.classical.mesh import CANONICAL
from swaps.engines.classical.square import SIDE
from swaps.engines.classical.types import Floats
from tools.parse_training.faces import BARE, BEARD, GLASSES, IGNORED, OTHER, Base
from tools.parse_training.scene import HAIR, Scene, blurred, floats

_LOWER_HALF = CANONICAL[:, 1] > 0


def beard(scene: Scene) -> None:
    """Draw a full beard, a goatee, a moustache or both, behind all things, not on the lips."""
    bearded = [d for d in scene.donors if "beard" in d.face.kinds]
    moved = None
    if bearded and scene.happens(0.55):
        moved = _transplanted(scene, bearded[int(scene.dice.integers(len(bearded)))])
    alpha, hair = moved or _grown(scene)
    free = (scene.labels != OTHER) & (scene.labels != GLASSES)
    alpha = alpha * (1 - blurred(scene.base.maps.lips, 1)) * free
    scene.lay(alpha, np.clip(hair, 0, 255))
    cover = blurred(alpha, 1.5)
    bare = scene.labels == BARE
    scene.labels[(cover > 0.2) & (cover <= 0.5) & bare] = IGNORED
    scene.labels[(cover > 0.5) & (bare | (scene.labels == IGNORED))] = BEARD


def _transplanted(scene: Scene, donor: Base) -> tuple[Floats, Floats] | None:
    move = cv2.estimateAffine2D(donor.points[_LOWER_HALF], scene.base.points[_LOWER_HALF])[0]
    if move is None:
        return None
    cover = blurred((donor.labels == BEARD).astype(np.float32), 1.2)
    alpha = cv2.warpAffine(cover, move, (SIDE, SIDE))
    hair = cv2.warpAffine(donor.picture, move, (SIDE, SIDE))
    if scene.happens(0.5):
        hair = hair * (scene.base.skin / np.maximum(donor.skin, 8))
    return floats(alpha), floats(hair * scene.between(0.75, 1.15))


def _grown(scene: Scene) -> tuple[Floats, Floats]:
    between = scene.between
    x, y = np.abs(scene.base.maps.canonical[..., 0]), scene.base.maps.canonical[..., 1]
    cheek = between(0.1, 0.33)
    rim = [0.10, 0.12, 0.18, cheek, 0.1, between(-0.05, 0.2)]
    limit = np.interp(x, [0, 0.2, 0.26, 0.36, 0.42, 0.5], rim)
    moustache = (y > 0.095) & (y < 0.2) & (x < 0.24)
    zones = [
        y > limit,
        (y > 0.3) & (x < between(0.12, 0.25)),
        moustache,
        (y > 0.095) & (x < 0.26) & ~((y > 0.2) & (y < 0.3) & (x > 0.24)),
    ]
    zone = zones[scene.dice.integers(len(zones))].astype(np.float32)
    noise = scene.dice.standard_normal((SIDE, SIDE), np.float32)
    across, down = between(0.4, 0.8), between(0.5, 1.5)
    noise = floats(cv2.GaussianBlur(noise, (0, 0), sigmaX=across, sigmaY=down))
    alpha = blurred(zone, between(1, 5)) * between(0.55, 1)
    alpha = np.clip(alpha + noise * 0.3 * alpha, 0, 1)
    colour = HAIR[scene.dice.integers(len(HAIR))] * between(0.7, 1.2)
    return floats(alpha), colour + noise[..., None] * between(20, 60)
