"""Chooses the faces of a picture that are meant."""

from itertools import islice

import numpy as np

from swaps.engines.classical.faces import Scene
from swaps.engines.classical.geometry import face_size
from swaps.engines.classical.types import AnyArray, Landmarks, Place, Point

_REACH = 1.0  # of the face's size, from its centre: half a face beyond the edge of its box


def choose(scene: Scene, place: Place, *, must_be_whole: bool) -> list[int]:
    """Return the numbers of the faces that ``place`` means; none if there is no such face.

    A point means the face that `face_at` returns, None the largest. With ``must_be_whole`` other
    faces are no faces.
    """
    if isinstance(place, tuple):
        found = face_at(place, scene.faces, scene.shape)
        numbers = [] if found is None else [found]
    else:
        numbers = list(range(len(scene.faces)))
    usable = (i for i in numbers if not must_be_whole or scene.is_whole(scene.faces[i]))
    return list(usable) if place == "all" else list(islice(usable, 1))


def face_at(point: Point, faces: list[Landmarks], shape: tuple[int, int]) -> int | None:
    """Return the number of the face that ``point`` (0…1 of width and height) means, or None.

    It is the smallest whose box contains the point. If none does, it is the one with the nearest
    centre, among those not further away than their size (the longer side of their box). ``shape``:
    rows and columns of the picture.
    """
    place = np.array(point) * [shape[1], shape[0]]
    within = [i for i, face in enumerate(faces) if _contains(face, place)]
    if within:
        return min(within, key=lambda i: face_size(faces[i]))
    distances = {i: _distance(face, place) for i, face in enumerate(faces)}
    near = [i for i, distance in distances.items() if distance <= _REACH * face_size(faces[i])]
    return min(near, key=lambda i: distances[i], default=None)


def _contains(face: Landmarks, place: AnyArray) -> bool:
    return bool((face[:, :2].min(0) <= place).all() and (place <= face[:, :2].max(0)).all())


def _distance(face: Landmarks, place: AnyArray) -> float:
    return float(np.linalg.norm((face[:, :2].min(0) + face[:, :2].max(0)) / 2 - place))
