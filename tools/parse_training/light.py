"""Draws what is nothing but skin and still deceives: shade, other skin, make-up, lines, brows.

Nothing here changes a label. False alarms of the network came from these: deep eye sockets taken
for dark lenses, dark skin, shade and brows for something in front.
"""

import cv2
import numpy as np

from swaps.engines.classical.square import SIDE
from swaps.engines.classical.types import Floats
from tools.parse_training.scene import HAIR, Scene, area, blurred, ellipse, floats, line, lines


def eye_sockets(scene: Scene) -> None:
    """Darken the eye sockets, as light from above does."""
    between = scene.between
    strength = between(0.25, 0.85)
    grow = between(0.8, 1.4)
    rise = between(-0.05, 0.03)
    unit = _unit(scene)
    for side in (-1, 1):
        at = scene.place((side * between(0.19, 0.24), -0.24 + rise, -0.02))[0]
        radii = (grow * between(0.10, 0.17) * unit, grow * between(0.05, 0.11) * unit)
        hole = blurred(ellipse(at, radii, between(-15, 15)), between(0.012, 0.05) * unit)
        scene.shade(hole, strength * between(0.85, 1) * _tint(scene))


def side_light(scene: Scene) -> None:
    """Leave one half of the face in the dark, with a wavy border that is soft or hard."""
    between = scene.between
    x, y = scene.base.maps.canonical[..., 0], scene.base.maps.canonical[..., 1]
    border = between(-0.25, 0.25) + between(-0.3, 0.3) * y
    border = border + 0.12 * between(0, 1) * np.sin(y * between(6, 20) + between(0, 6))
    soft = float(scene.dice.choice([0.015, 0.05, 0.15, 0.3]))
    far = np.clip((float(scene.dice.choice([-1, 1])) * (x - border) / soft + 1) / 2, 0, 1)
    scene.shade(np.asarray(far, np.float32), between(0.2, 0.9) * _tint(scene))


def cast_shadow(scene: Scene) -> None:
    """Let the shadow of something out of the picture, or of the nose, fall on the face."""
    between, dice = scene.between, scene.dice
    if scene.happens(0.4):
        at = scene.place((between(-0.12, 0.12), between(-0.02, 0.17), -0.2))[0]
        corners = at + dice.normal(0, 8, (5, 2))
    else:
        at = scene.place((between(-0.5, 0.5), between(-0.6, 0.6), -0.05))[0]
        corners = at + dice.normal(0, between(8, 40), (6, 2))
    shape = area(cv2.convexHull(corners.astype(np.float32))[:, 0])
    soft = blurred(shape, float(dice.choice([0.6, 1.2, 3, 8])))
    if scene.happens(0.25):
        scene.lay(soft * between(0.1, 0.6), 255.0)
        return
    scene.shade(soft, between(0.2, 0.85) * _tint(scene))


def highlights(scene: Scene) -> None:
    """Make forehead, nose and cheeks shine."""
    unit = _unit(scene)
    for x, y in ((0, -0.45), (0, -0.02), (-0.28, 0), (0.28, 0), (0, 0.42)):
        if scene.happens(0.5):
            near = (x + scene.between(-0.08, 0.08), y + scene.between(-0.05, 0.05), -0.1)
            radii = (scene.between(0.02, 0.12) * unit, scene.between(0.02, 0.09) * unit)
            spot = blurred(ellipse(scene.place(near)[0], radii), scene.between(0.015, 0.05) * unit)
            scene.lay(spot * scene.between(0.1, 0.6), 255.0)


def retone(scene: Scene) -> None:
    """Give the face another skin tone, from very dark to very fair: a donor's, or one drawn."""
    dice = scene.dice
    tones = [
        [62, 40, 30],
        [90, 60, 45],
        [120, 82, 62],
        [45, 30, 25],
        [150, 110, 85],
        [225, 185, 165],
    ]
    tone = np.array(tones[dice.integers(len(tones))], np.float32) * scene.between(0.8, 1.2)
    if scene.happens(0.4):
        tone = scene.donor().skin
    gain = np.clip(tone / np.maximum(scene.base.skin, 10), 0.15, 3)
    power = scene.between(0.85, 1.25)
    lit = np.clip(np.clip(scene.picture, 0, 255) / 255 * gain, 0, 1)
    picture = floats(255 * lit**power)
    mean = float(picture[scene.base.maps.hull > 0.5].mean())
    scene.picture = picture * np.float32(max(float(tone.mean()), 25) / max(mean, 5))


def spots(scene: Scene) -> None:
    """Draw freckles, moles or pimples."""
    count = int(scene.dice.choice([3, 15, 60, 150]))
    canvas = np.zeros((SIDE, SIDE), np.float32)
    for _ in range(count):
        x, y = scene.place((scene.dice.normal(0, 0.25), scene.between(-0.5, 0.5), -0.1))[0]
        if 1 < x < SIDE - 2 and 1 < y < SIDE - 2:
            canvas[int(y), int(x)] = scene.between(0.4, 1)
    soft = blurred(canvas, scene.between(0.5, 1.1))
    soft = soft / max(float(soft.max()), 1e-3) * (1 - scene.base.maps.eyes)
    scene.shade(soft, scene.between(0.1, 0.6) * np.array([0.6, 0.9, 1], np.float32))


def makeup(scene: Scene) -> None:
    """Draw eye shadow, eye liner, lipstick or rouge."""
    maps = scene.base.maps
    colour = scene.dice.uniform(0, 160, 3).astype(np.float32)
    if scene.happens(0.6):
        wide = cv2.dilate(maps.eyes, np.ones((int(scene.dice.integers(3, 11)),) * 2))
        lid = blurred(np.asarray(wide, np.float32), scene.between(0.6, 2.5)) * (1 - maps.eyes)
        scene.lay(lid * scene.between(0.2, 0.8), colour)
    if scene.happens(0.4):
        rim = cv2.morphologyEx(maps.eyes, cv2.MORPH_GRADIENT, np.ones((3, 3)))
        scene.lay(np.asarray(rim, np.float32) * scene.between(0.3, 0.9), 15.0)
    if scene.happens(0.5):
        red = scene.dice.uniform([60, 0, 10], [230, 70, 120]).astype(np.float32)
        scene.lay(blurred(maps.lips, 1) * scene.between(0.2, 0.7), red)


def brows(scene: Scene) -> None:
    """Make the brows thick and dark, or fair, perhaps grown together."""
    size = int(scene.dice.integers(1, 8))
    wide = cv2.dilate(scene.base.maps.brows, np.ones((size, size + 2)))
    alpha = blurred(np.asarray(wide, np.float32), scene.between(0.6, 1.8))
    if scene.happens(0.15):
        y = -0.33 + scene.between(-0.03, 0.03)
        between_ = line(scene.place((-0.12, y, -0.1), (0.12, y, -0.1)), scene.between(2, 6))
        alpha = np.maximum(alpha, blurred(between_, 1.2) * scene.between(0.3, 0.8))
    colour = HAIR[scene.dice.integers(len(HAIR))] * scene.between(0.5, 1.1)
    hairs = scene.dice.normal(0, 18, (SIDE, SIDE, 1)).astype(np.float32)
    scene.lay(alpha * scene.between(0.4, 0.95), np.clip(colour + hairs, 0, 255))


def wrinkles(scene: Scene) -> None:
    """Draw lines of the forehead, bags under the eyes, crow's feet and folds beside the mouth."""
    t = np.linspace(-1, 1, 12)
    every = []
    if scene.happens(0.5):
        for y in np.linspace(-0.58, -0.42, int(scene.dice.integers(1, 4))):
            bent = y + 0.02 * np.sin(t * scene.between(2, 5))
            every.append(np.column_stack([t * scene.between(0.15, 0.3), bent]))
    for side in (-1, 1):
        if scene.happens(0.5):
            under = -0.16 + scene.between(-0.02, 0.05) - 0.05 * t**2
            every.append(np.column_stack([side * 0.22 + t * 0.11, under]))
        if scene.happens(0.5):
            fold = side * (0.15 + 0.06 * t + scene.between(-0.01, 0.03))
            every.append(np.column_stack([fold, 0.15 + 0.12 * t]))
    if not every:
        return
    drawn = [scene.place(*np.column_stack([p, np.full(12, -0.08)])) for p in every]
    alpha = blurred(lines(drawn, scene.between(0.7, 2.5)), scene.between(0.5, 2))
    scene.shade(alpha, scene.between(0.15, 0.6) * _tint(scene))


DECEPTIONS = (
    eye_sockets, side_light, cast_shadow, highlights, retone, spots, makeup, brows, wrinkles,
)  # fmt: skip


def _unit(scene: Scene) -> float:
    """Return the width of the face in pixels of the square."""
    return float(np.ptp(scene.base.points[:, 0]))


def _tint(scene: Scene) -> Floats:
    """Return how much more or less a shadow takes of red, green and blue."""
    if scene.happens(0.6):
        return np.ones(3, np.float32)
    return np.asarray(np.clip(scene.dice.normal([0.95, 1.0, 1.02], 0.06), 0.7, 1.1), np.float32)
