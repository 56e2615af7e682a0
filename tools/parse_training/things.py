"""Draws what else can lie in front of a face: hair, hands, straws, microphones, cloth, things."""

from collections.abc import Callable

import cv2
import numpy as np

from swaps.engines.classical.square import SIDE
from swaps.engines.classical.types import AnyArray, Floats
from tools.parse_training.faces import OTHER
from tools.parse_training.scene import HAIR, Scene, area, blurred, ellipse, floats, line, lines

Drawing = Callable[[Scene], None]


def strands(scene: Scene) -> None:
    """Draw one to many strands of hair, from the hairline down, or a fringe."""
    between, dice = scene.between, scene.dice
    count = int(dice.choice([1, 2, 4, 10, 30, 60]))
    side = float(dice.choice([-1, 1]))
    start, end, low = side * between(0.05, 0.5), side * between(0.1, 0.5), between(-0.3, 0.6)
    middle = start + side * between(-0.25, 0.25)
    spread = between(0.005, 0.02) * count**0.7
    if scene.happens(0.35):
        start, low = between(-0.3, 0.3), between(-0.4, -0.15)
        end = start + between(-0.2, 0.2)
        middle, count, spread = (start + end) / 2, 3 * count, 2 * spread
    top = between(-0.75, -0.5)
    t = np.linspace(0, 1, 16)[:, None]
    every = []
    for _ in range(count):
        off = dice.normal(0, spread) + dice.normal(0, 0.35 * spread, 3)
        bend = (top + low) / 2 + dice.normal(0, 0.02)
        a, b = np.array([start + off[0], top]), np.array([middle + off[1], bend])
        c = np.array([end + off[2], low + dice.normal(0, 0.06)])
        curve = (1 - t) ** 2 * a + 2 * t * (1 - t) * b + t**2 * c
        every.append(scene.place(*np.column_stack([curve, np.full(16, -0.05)])))
    thin, thick = every[::2], every[1::2]
    alpha = lines(thin, 0.5, strengths=list(dice.uniform(0.5, 1, len(thin))))
    if thick:
        alpha = np.maximum(
            alpha, lines(thick, between(0.5, 1.5), strengths=list(dice.uniform(0.5, 1, len(thick))))
        )
    colour = HAIR[dice.integers(len(HAIR))] * between(0.6, 1.3)
    scene.drop_shadow(alpha)
    shine = dice.normal(0, 14, (SIDE, SIDE, 1)).astype(np.float32)
    scene.lay(alpha, np.clip(colour + shine, 0, 255), OTHER)


def hand(scene: Scene) -> None:
    """Draw fingers, bent at a joint, with round shading, dark gaps, nails and a shadow.

    Their colour is the face's own, as it mostly is, or that of another person.
    """
    between, dice = scene.between, scene.dice
    owner = scene.donor() if scene.happens(0.3) else scene.base
    skin = owner.skin * between(0.7, 1.2) + dice.normal(0, 6, 3).astype(np.float32)
    tip = scene.place((between(-0.5, 0.5), between(-0.35, 0.6), -0.05))[0]
    towards = np.pi / 2 + dice.normal(0, 0.6) if scene.happens(0.6) else between(0, 2 * np.pi)
    along = np.array([np.cos(towards), np.sin(towards)])
    across = np.array([-along[1], along[0]])
    width, count = between(8, 15), int(dice.integers(1, 6))
    light = across * dice.choice([-1, 1]) * between(0, 0.35)
    whole = np.zeros((SIDE, SIDE), np.float32)
    for i in range(count):
        inner = i not in (0, count - 1)
        start = tip + across * (i - count / 2) * width * between(0.95, 1.1)
        start = start - along * between(0, 18) * inner
        joint = start + along * between(15, 35) + across * dice.normal(0, 3)
        end = joint + along * between(60, 140) + across * dice.normal(0, 8)
        finger = line(np.array([start, joint, end]), width)
        scene.drop_shadow(finger, 0.8)
        scene.lay(finger, _finger(scene, finger, skin, width=width, light=light, joint=joint))
        if scene.happens(0.35):
            _nail(scene, start + along * width * 0.1, width, np.degrees(towards), skin)
        whole = np.maximum(whole, finger)
    if scene.happens(0.6):  # the back of the hand, or the palm
        palm = tip + along * between(45, 80)
        back = ellipse(palm, (width * count * 0.8, between(25, 50)), np.degrees(towards) + 90)
        back = blurred(back, 1)
        scene.lay(back, _finger(scene, back, skin, width=4 * width, light=light, joint=palm))
        whole = np.maximum(whole, back)
    scene.mark(whole, OTHER)


def _finger(
    scene: Scene, alpha: Floats, skin: Floats, *, width: float, light: AnyArray, joint: AnyArray
) -> Floats:
    """Return skin shaded as a cylinder lit from one side, with creases at the joint."""
    inside = (alpha > 0.5).astype(np.uint8)
    deep = floats(cv2.distanceTransform(inside, cv2.DIST_L2, 5))
    depth = floats(np.clip(deep / max(width / 2, 1), 0, 1))
    gy, gx = np.gradient(blurred(depth, 1.5))
    round_ = scene.between(0.45, 0.75) + scene.between(0.3, 0.5) * np.sqrt(depth)
    lit = round_ + (gx * light[0] + gy * light[1]) * width * 0.5
    crease = blurred(ellipse(joint, (1.2, width / 2.5), scene.between(0, 180)), 0.8)
    lit = lit * (1 - crease * scene.between(0, 0.3))
    warm = np.array([0, -0.06, -0.08], np.float32) * (1 - depth[..., None])  # blood at the rim
    grain = scene.noise(1.2) * scene.between(0, 5)
    return floats(np.clip(skin * (lit[..., None] + warm) + grain, 0, 255))


def _nail(scene: Scene, at: AnyArray, width: float, degrees: float, skin: Floats) -> None:
    natural = np.clip(skin * 1.12 + 14, 0, 255)
    polish = scene.dice.uniform(20, 255, 3).astype(np.float32)
    shape = ellipse(at, (width * 0.42, width * 0.3), degrees)
    scene.lay(shape * scene.between(0.6, 1), natural if scene.happens(0.7) else polish)


def stick(scene: Scene) -> None:
    """Draw a straw or stick at the mouth, or a microphone before it."""
    between = scene.between
    at = scene.place((between(-0.2, 0.2), between(0.12, 0.42), -0.1))[0]
    angle = np.pi / 2 + scene.dice.normal(0, 0.7)
    along = np.array([np.cos(angle), np.sin(angle)])
    if scene.happens(0.6):
        width = between(1.5, 9)
        alpha = line(np.array([at, at + 160 * along]), width)
        colour = scene.texture()
        if scene.happens(0.5):  # a round, even straw, perhaps striped
            colour = np.full((SIDE, SIDE, 3), scene.dice.uniform(10, 250, 3), np.float32)
            if scene.happens(0.4):
                y = np.arange(SIDE, dtype=np.float32)[:, None, None]
                colour = colour + between(20, 90) * np.sign(np.sin(y / between(1.5, 5)))
    else:
        radius = between(10, 26)
        alpha = np.maximum(
            ellipse(at, (radius, radius * between(0.8, 1.2))),
            line(np.array([at, at + 160 * along]), radius * between(0.7, 1.3)),
        )
        colour = np.full((SIDE, SIDE, 3), between(10, 120), np.float32)
        colour += scene.noise(1) * between(5, 30) + scene.noise(12) * between(0, 40)
    scene.drop_shadow(alpha)
    scene.lay(blurred(alpha, between(0.3, 1.2)), np.clip(colour, 0, 255), OTHER)


def thing(scene: Scene) -> None:
    """Draw a phone or cup, or leaves, flowers and blobs."""
    between, dice = scene.between, scene.dice
    at = scene.place((between(-0.55, 0.55), between(-0.6, 0.65), -0.1))[0]
    if scene.happens(0.4):
        size = (between(20, 90), between(20, 90))
        box = (tuple(map(float, at)), size, between(0, 180))
        alpha = area(cv2.boxPoints(box))
    else:
        alpha = np.zeros((SIDE, SIDE), np.float32)
        for _ in range(int(dice.integers(1, 6))):
            radii = (between(4, 26), between(3, 14))
            alpha = np.maximum(alpha, ellipse(at + dice.normal(0, 18, 2), radii, between(0, 180)))
    scene.drop_shadow(alpha)
    scene.lay(blurred(alpha, between(0.3, 2)), scene.texture(), OTHER)


def cloth(scene: Scene) -> None:
    """Draw a hat or headscarf, a mask or scarf, or a hood at one side."""
    between, dice = scene.between, scene.dice
    t = np.linspace(-1, 1, 12)
    rough = dice.normal(0, 0.01, 12)
    kind = dice.integers(3)
    if kind == 0:
        x, y = t * 0.75, between(-0.62, -0.42) + between(-0.12, 0.12) * t**2 + rough
        far = [(0.9, -1.5), (-0.9, -1.5)]
    elif kind == 1:
        x, y = t * 0.8, between(0.05, 0.5) + between(-0.3, 0.1) * np.abs(t) + rough
        far = [(0.9, 1.5), (-0.9, 1.5)]
    else:
        side = float(dice.choice([-1, 1]))
        x, y = side * (between(0.25, 0.48) - between(0, 0.15) * t**2 + rough), t * 0.9
        far = [(side * 1.5, 1), (side * 1.5, -1)]
    outline = [(*point, -0.02) for point in [*zip(x, y, strict=True), *far]]
    alpha = blurred(area(scene.place(*outline)), between(0.4, 1.2))
    scene.drop_shadow(alpha)
    folds = scene.noise(between(3, 12)) * between(0, 30)
    scene.lay(alpha, np.clip(scene.texture() + folds, 0, 255), OTHER)
