"""Draws glasses: rims, bridges and arms in the pose of the head, clear, tinted or dark."""

import numpy as np

from swaps.engines.classical.square import SIDE
from swaps.engines.classical.types import AnyArray, Floats
from tools.parse_training.faces import GLASSES, IGNORED
from tools.parse_training.scene import Scene, area, blurred, line, lines

_EAR = (0.53, -0.24, 0.42)
_WIDTHS = (0.5, 0.8, 1, 1.5, 2, 3, 4)
_COMMON = (0.12, 0.20, 0.20, 0.18, 0.12, 0.10, 0.08)


def glasses(scene: Scene) -> None:
    """Draw one pair. Frames, dark lenses and strong reflections are labelled, clear lenses not."""
    dice, between, happens = scene.dice, scene.between, scene.happens
    is_dark = happens(0.4)
    width = float(dice.choice(_WIDTHS, p=_COMMON))
    rims = _Rims(scene)
    top_only, rimless = happens(0.12), happens(0.06) and not is_dark
    frame = np.zeros((SIDE, SIDE), np.float32)
    lens = np.zeros((SIDE, SIDE), np.float32)
    heavy_top = happens(0.4)
    for side in (-1, 1):
        ring = rims.ring(side)
        lens = np.maximum(lens, area(ring))
        upper = ring[rims.upper][np.argsort(rims.cos[rims.upper])]
        if top_only:
            frame = np.maximum(frame, line(upper, width))
        elif not rimless:
            frame = np.maximum(frame, line(ring, width, closed=True))
        if heavy_top and not rimless:
            frame = np.maximum(frame, line(upper, width + 1))
        frame = np.maximum(frame, rims.arm(side, width))
    frame = np.maximum(frame, rims.bridge(width))
    scene.drop_shadow(frame)
    if is_dark:
        _dark_lenses(scene, lens)
    else:
        _clear_lenses(scene, lens, rims)
    gloss = np.maximum(scene.noise(5), 0) * between(0, 150)
    mottled = scene.noise(1.5) * between(0, 60) * happens(0.3)
    scene.lay(frame * between(0.8, 1), np.clip(_frame_colour(scene) + mottled + gloss, 0, 255))
    scene.mark(np.minimum(1, frame * 1.4), GLASSES)


class _Rims:
    """The shape of one pair: superellipses before the eyes, in units of the mean face."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        between = scene.between
        self.width, self.height = between(0.15, 0.245), between(0.10, 0.21)
        if scene.happens(0.3):
            self.height = self.width * between(0.8, 1)
        exponent = 2 / float(scene.dice.choice([2, 2, 2.6, 3.5, 6]))
        self.x = max(self.width + between(0.035, 0.08), between(0.2, 0.25))
        self.y = -0.215 + between(-0.02, 0.05) + 0.4 * max(0, self.height - 0.13)
        self.z = -between(0.06, 0.14)
        self.drop, self.flare, self.tilt = (
            between(-0.06, 0.14),
            between(-0.1, 0.15),
            between(-0.04, 0.04),
        )
        t = np.linspace(0, 2 * np.pi, 60, endpoint=False)
        self.cos = np.sign(np.cos(t)) * np.abs(np.cos(t)) ** exponent
        self.sin = np.sign(np.sin(t)) * np.abs(np.sin(t)) ** exponent
        self.upper = self.sin < 0.05

    def depth(self, x: AnyArray) -> AnyArray:
        return self.z + 1.17 * np.maximum(np.abs(x) - 0.1, 0) ** 2

    def ring(self, side: int) -> AnyArray:
        x = side * (self.x + self.cos * self.width * (1 - self.flare * self.sin))
        y = self.y + self.sin * self.height * (1 + self.drop * self.cos) + self.tilt * x
        return self._scene.place(*np.column_stack([x, y, self.depth(x)]))

    def arm(self, side: int, width: float) -> Floats:
        """Return the arm towards the ear, if it is seen from outside."""
        x = np.array([side * (self.x + self.width)])
        y = self.y - self.height * self._scene.between(0, 0.8)
        ear = (side * _EAR[0], _EAR[1] + self._scene.between(-0.03, 0.06), _EAR[2])
        ends = self._scene.place((x[0], y, self.depth(x)[0]), ear)
        if (ends[1, 0] - ends[0, 0]) * side <= 0:
            return np.zeros((SIDE, SIDE), np.float32)
        return line(ends, width * self._scene.between(0.7, 1.6))

    def bridge(self, width: float) -> Floats:
        half = max(self.x - self.width, 0.01) + 0.012
        x = np.linspace(-half, half, 9)
        top = self.y - self.height * self._scene.between(0, 0.75)
        y = top + self._scene.between(-0.03, 0.02) * (1 - (x / half) ** 2)
        points = self._scene.place(*np.column_stack([x, y, np.full(9, self.z - 0.03)]))
        every = [points]
        if self._scene.happens(0.2):  # a second bar, as of aviators
            every.append(points - [0, 6])
        return lines(every, width * self._scene.between(0.7, 1.3))


def _dark_lenses(scene: Scene, lens: Floats) -> None:
    between = scene.between
    fade = np.linspace(0, between(-20, 90), SIDE, dtype=np.float32)[:, None, None]
    tint = between(5, 70) + scene.dice.uniform(-12, 20, 3).astype(np.float32)
    colour = scene.texture() if scene.happens(0.3) else tint + fade
    scene.lay(lens * between(0.78, 1), np.clip(colour, 0, 255))
    scene.mark(lens, GLASSES)


def _clear_lenses(scene: Scene, lens: Floats, rims: _Rims) -> None:
    between, happens = scene.between, scene.happens
    if happens(0.6):
        tint = np.full(3, 255) if happens(0.7) else scene.dice.uniform(0, 255, 3)
        scene.lay(lens * between(0, 0.14), tint.astype(np.float32))
    if happens(0.35):
        x, y = scene.place((scene.dice.choice([-1, 1]) * rims.x, rims.y, rims.z))[0]
        ends = [[x - between(5, 25), y - 15], [x + between(-5, 15), y + 15]]
        streak = blurred(line(np.array(ends), between(2, 8)), between(0.5, 2))
        glare = streak * lens * between(0.2, 0.8)
        scene.lay(glare, 255.0)
        scene.labels[(glare > 0.3) & (glare < 0.5)] = IGNORED
        scene.labels[glare >= 0.5] = GLASSES


def _frame_colour(scene: Scene) -> Floats:
    between, dice = scene.between, scene.dice
    colours = [
        dice.uniform(5, 45, 3),
        dice.uniform(5, 45, 3),
        np.array([60, 40, 25]) * between(0.5, 2),
        between(90, 200) + dice.uniform(-20, 20, 3),
        np.array([170, 140, 80]) * between(0.6, 1.3),
        dice.uniform(0, 255, 3),
    ]
    return np.asarray(colours[dice.integers(len(colours))], np.float32)
