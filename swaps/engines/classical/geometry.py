"""Pose, and the shape that the result's face shall have."""

import math
from dataclasses import dataclass

import numpy as np

from swaps.engines.classical.filters import smooth
from swaps.engines.classical.mesh import (
    AROUND_MOUTH,
    CANONICAL,
    INNER,
    LIPS,
    MIRROR,
    RIGID,
    SKIN_TRIANGLES,
)
from swaps.engines.classical.types import AnyArray, Floats, Landmarks

_SHAPE = 0.6  # how much of the source's shape is taken: more, and the result leaves the head
_MOUTH_SHAPE = 0.35
_LIMIT = 0.06  # of the face: no vertex moves further
_SYMMETRY = 0.65  # landmarks of a turned face err to one side; their mirrored mean does not
_CORNERS = (61, 291)


@dataclass(frozen=True, kw_only=True)
class Pose:
    """landmarks ≈ scale · rotation · canonical + shift; angles in degrees."""

    scale: float
    rotation: AnyArray  # 3×3
    shift: AnyArray  # 3

    @property
    def yaw(self) -> float:
        flat = math.hypot(self.rotation[0, 0], self.rotation[1, 0])
        return math.degrees(math.atan2(-self.rotation[2, 0], flat))

    def to_canonical(self, landmarks: AnyArray) -> AnyArray:
        return np.asarray((landmarks - self.shift) @ self.rotation / self.scale)

    def from_canonical(self, shape: AnyArray) -> AnyArray:
        return np.asarray(self.scale * shape @ self.rotation.T + self.shift)


def similarity(points: AnyArray, onto: AnyArray) -> Pose:
    """The similarity transform that takes n×3 ``points`` onto others (Umeyama 1991)."""
    mean, onto_mean = points.mean(0), onto.mean(0)
    centred, onto_centred = points - mean, onto - onto_mean
    u, s, vt = np.linalg.svd(onto_centred.T @ centred / len(points))
    signs = np.array([1, 1, np.sign(np.linalg.det(u @ vt))])
    rotation = (u * signs) @ vt
    scale = float((s * signs).sum() / (centred**2).sum(1).mean())
    return Pose(scale=scale, rotation=rotation, shift=onto_mean - scale * rotation @ mean)


def pose(landmarks: Landmarks) -> Pose:
    return similarity(CANONICAL[RIGID], landmarks[RIGID].astype(np.float64))


def goal(source: Landmarks, target: Landmarks) -> Landmarks:
    """The result's landmarks, 468×3: the target's, moved towards the source's shape.

    Shapes are compared in the canonical pose. Depth is left out (the net only guesses it), the
    rim stays the target's, and so does the opening of the mouth: only its place and width change.
    """
    target_pose = pose(target)
    to = target_pose.to_canonical(target)
    shape = pose(source).to_canonical(source)
    change = (shape - to) * [1, 1, 0]
    mirrored = change[MIRROR] * [-1, 1, 1]
    change = (1 - _SYMMETRY) * change + _SYMMETRY * (change + mirrored) / 2
    mouth = _mouth_change(shape, to)
    at_mouth = AROUND_MOUTH[:, None]
    moved = _SHAPE * (1 - at_mouth) * change + _MOUTH_SHAPE * at_mouth * mouth
    moved = np.clip(moved, -_LIMIT, _LIMIT) * INNER[:, None]
    return target_pose.from_canonical(to + moved).astype(np.float32)


def _mouth_change(shape: AnyArray, to: AnyArray) -> AnyArray:
    centre, to_centre = shape[LIPS].mean(0), to[LIPS].mean(0)
    width, to_width = (np.linalg.norm(s[_CORNERS[0]] - s[_CORNERS[1]]) for s in (shape, to))
    wider = np.clip(width / max(float(to_width), 1e-6), 0.8, 1.25) - 1
    return np.asarray((centre - to_centre) * [0.5, 0.6, 0] + (to - to_centre) * [wider, 0, 0])


def visibility(landmarks: Landmarks) -> Floats:
    """Per vertex 0…1: how far the skin there is turned towards the viewer."""
    a, b, c = (landmarks[SKIN_TRIANGLES[:, i]].astype(np.float64) for i in range(3))
    normals = np.zeros((len(landmarks), 3))
    for i in range(3):
        np.add.at(normals, SKIN_TRIANGLES[:, i], np.cross(b - a, c - a))
    facing = -normals[:, 2] / np.maximum(np.linalg.norm(normals, axis=1), 1e-9)
    return smooth(facing * np.sign(np.median(facing)), 0.08, 0.40)


def size(landmarks: Landmarks) -> float:
    """The longer side of the face, pixels."""
    return float(np.ptp(landmarks[:, :2], axis=0).max())
