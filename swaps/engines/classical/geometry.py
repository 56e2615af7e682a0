"""Estimates head pose, and computes the shape of the result's face."""

import math
from dataclasses import dataclass

import numpy as np

from swaps.engines.classical.filters import smooth
from swaps.engines.classical.mesh import (
    AROUND_MOUTH,
    CANONICAL,
    INNER,
    LEFT_EYE,
    LIPS,
    MIRROR,
    RIGHT_EYE,
    RIGID,
    SKIN_TRIANGLES,
)
from swaps.engines.classical.types import AnyArray, Floats, Landmarks

_SHAPE = 0.6  # share of the source's shape: with more, the face no longer fits the head
_MOUTH_SHAPE = 0.35
_MAX_SHIFT = 0.06  # of the face's size, for every vertex
_SYMMETRY = 0.65  # landmarks of a turned face err to one side; the mirrored mean does not
_NARROW = 0.7  # of the target's opening
_CORNERS = (61, 291)
_LEVEL = -6.0  # degrees: the median of 65 faces in 80 photos, turned by less than 25°


@dataclass(frozen=True, kw_only=True)
class Pose:
    """A similarity transform: landmarks ≈ scale · rotation · canonical + shift."""

    scale: float
    rotation: AnyArray  # 3×3
    shift: AnyArray  # 3

    @property
    def yaw(self) -> float:
        """The angle in degrees by which the head is turned about the vertical axis.

        It is positive when the nose points to the left of the picture.
        """
        flat = math.hypot(self.rotation[0, 0], self.rotation[1, 0])
        return math.degrees(math.atan2(-self.rotation[2, 0], flat))

    @property
    def pitch(self) -> float:
        """The angle in degrees by which the head is raised; negative when it looks down."""
        return math.degrees(math.atan2(-self.rotation[2, 1], self.rotation[2, 2])) - _LEVEL

    @property
    def roll(self) -> float:
        """The angle in degrees by which the head leans in the picture, clockwise, ±180."""
        return math.degrees(math.atan2(self.rotation[1, 0], self.rotation[0, 0]))

    def to_canonical(self, landmarks: AnyArray) -> AnyArray:
        """Map n×3 landmarks into the canonical pose."""
        return np.asarray((landmarks - self.shift) @ self.rotation / self.scale)

    def from_canonical(self, shape: AnyArray) -> AnyArray:
        """Map an n×3 shape from the canonical pose into the picture."""
        return np.asarray(self.scale * shape @ self.rotation.T + self.shift)


def similarity(points: AnyArray, onto: AnyArray) -> Pose:
    """Return the similarity transform that maps n×3 ``points`` to ``onto`` (Umeyama 1991)."""
    mean, onto_mean = points.mean(0), onto.mean(0)
    centred, onto_centred = points - mean, onto - onto_mean
    u, s, vt = np.linalg.svd(onto_centred.T @ centred / len(points))
    signs = np.array([1, 1, np.sign(np.linalg.det(u @ vt))])
    rotation = (u * signs) @ vt
    scale = float((s * signs).sum() / (centred**2).sum(1).mean())
    return Pose(scale=scale, rotation=rotation, shift=onto_mean - scale * rotation @ mean)


def pose(landmarks: Landmarks) -> Pose:
    """Return the head's pose, from the landmarks that do not move when a face speaks."""
    return similarity(CANONICAL[RIGID], landmarks[RIGID].astype(np.float64))


def goal_landmarks(source: Landmarks, target: Landmarks) -> Landmarks:
    """Return the result's landmarks (468×3): the target's, moved towards the source's shape.

    Shapes are compared in the canonical pose. Depth is ignored (the network only guesses it). The
    rim stays the target's, and so does the opening of the mouth: only its position and width
    change. When both eyes are far more closed than the target's, they stay so.
    """
    target_pose = pose(target)
    to = target_pose.to_canonical(target)
    shape = pose(source).to_canonical(source)
    change = (shape - to) * [1, 1, 0]
    mirrored = change[MIRROR] * [-1, 1, 1]
    change = (1 - _SYMMETRY) * change + _SYMMETRY * (change + mirrored) / 2
    mouth = _mouth_change(shape, to)
    at_mouth = AROUND_MOUTH[:, None]
    share = np.where(_narrow_eyes(shape, to), 1.0, _SHAPE)[:, None]
    moved = share * (1 - at_mouth) * change + _MOUTH_SHAPE * at_mouth * mouth
    moved = np.clip(moved, -_MAX_SHIFT, _MAX_SHIFT) * INNER[:, None]
    return target_pose.from_canonical(to + moved).astype(np.float32)


def _narrow_eyes(shape: AnyArray, to: AnyArray) -> AnyArray:
    """Return which vertices are lids of eyes that are far more closed than the target's.

    Drawn open, they would show neither white nor iris.
    """
    narrow = np.zeros(len(shape), bool)
    for ring in (RIGHT_EYE, LEFT_EYE):
        own, other = (float(np.linalg.norm(s[ring[4], :2] - s[ring[12], :2])) for s in (shape, to))
        narrow[ring] = own < _NARROW * other
    return narrow


def _mouth_change(shape: AnyArray, to: AnyArray) -> AnyArray:
    centre, to_centre = shape[LIPS].mean(0), to[LIPS].mean(0)
    width, to_width = (np.linalg.norm(s[_CORNERS[0]] - s[_CORNERS[1]]) for s in (shape, to))
    wider = np.clip(width / max(float(to_width), 1e-6), 0.8, 1.25) - 1
    return np.asarray((centre - to_centre) * [0.5, 0.6, 0] + (to - to_centre) * [wider, 0, 0])


def smile_gap(source: Landmarks, target: Landmarks) -> float:
    """Return how unlike the widths of both mouths are: the absolute logarithm of their ratio."""
    shapes = (pose(landmarks).to_canonical(landmarks) for landmarks in (source, target))
    widths = [float(np.linalg.norm(s[_CORNERS[0]] - s[_CORNERS[1]])) for s in shapes]
    return abs(math.log(max(widths[0], 1e-6) / max(widths[1], 1e-6)))


def visibility(landmarks: Landmarks) -> Floats:
    """Return for each vertex, 0…1, how far its skin is turned towards the viewer."""
    a, b, c = (landmarks[SKIN_TRIANGLES[:, i]].astype(np.float64) for i in range(3))
    normals = np.zeros((len(landmarks), 3))
    for i in range(3):
        np.add.at(normals, SKIN_TRIANGLES[:, i], np.cross(b - a, c - a))
    facing = -normals[:, 2] / np.maximum(np.linalg.norm(normals, axis=1), 1e-9)
    return smooth(facing * np.sign(np.median(facing)), 0.08, 0.40)


def face_size(landmarks: Landmarks) -> float:
    """Return the longer side of the landmarks' bounding box in pixels."""
    return float(np.ptp(landmarks[:, :2], axis=0).max())
