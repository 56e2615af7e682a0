"""Compares a result with its target: what was to stay as it was (shape, pose, expression)."""

import math

import cv2
import numpy as np

from swaps.engines.classical.geometry import face_size, pose
from swaps.engines.classical.types import Landmarks, Picture

_MARGIN = 0.02  # of the face's size: so far from the hull of the landmarks is still the silhouette
_LIDS = ((159, 145, 33, 133), (386, 374, 263, 362))  # upper, lower, corner, corner
_LIPS = (13, 14, 78, 308)


def compare(
    target: Picture, face: Landmarks, result: Picture, result_face: Landmarks | None
) -> dict[str, float | None]:
    """Return how far the result differs from the target.

    ``landmarks_moved``: mean over 468, in % of the face's size. ``yaw``, ``pitch``, ``roll``: in
    degrees, and ``pose``, their mean. ``mouth``, ``eyes``: difference of the openings, each as
    height by width. All these are absolute values, and None without a face in the result.
    ``outside``: the number of pixels that changed outside the silhouette.
    """
    outside = {"outside": float(changed_outside(target, face, result))}
    if result_face is None:
        names = ("landmarks_moved", "yaw", "pitch", "roll", "pose", "mouth", "eyes")
        return dict.fromkeys(names) | outside
    moved = np.linalg.norm(result_face[:, :2] - face[:, :2], axis=1).mean() / face_size(face)
    head, goal = pose(result_face), pose(face)
    turns = {
        name: abs(math.remainder(getattr(head, name) - getattr(goal, name), 360))
        for name in ("yaw", "pitch", "roll")
    }
    return {
        "landmarks_moved": 100 * float(moved),
        **turns,
        "pose": sum(turns.values()) / 3,
        "mouth": abs(mouth_opening(result_face) - mouth_opening(face)),
        "eyes": abs(eye_opening(result_face) - eye_opening(face)),
        **outside,
    }


def mouth_opening(face: Landmarks) -> float:
    return _opening(face, _LIPS)


def eye_opening(face: Landmarks) -> float:
    """Return the mean of both eyes."""
    return sum(_opening(face, lids) for lids in _LIDS) / len(_LIDS)


def changed_outside(target: Picture, face: Landmarks, result: Picture) -> int:
    """Count the pixels that differ in any channel outside the hull of the target's landmarks."""
    hull = cv2.convexHull(np.round(face[:, :2]).astype(np.int32))
    silhouette = np.zeros(target.shape[:2], np.uint8)
    cv2.fillConvexPoly(silhouette, hull, 1)
    width = 2 * math.ceil(_MARGIN * face_size(face)) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    outside = cv2.dilate(silhouette, disc) == 0
    return int(((target != result).any(2) & outside).sum())


def _opening(face: Landmarks, points: tuple[int, int, int, int]) -> float:
    upper, lower, start, end = (face[number] for number in points)
    return float(np.linalg.norm(upper - lower)) / max(float(np.linalg.norm(start - end)), 1e-6)
