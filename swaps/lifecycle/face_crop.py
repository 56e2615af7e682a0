"""Crops a photo to one of its faces, for a hosted provider, which cannot be told which one."""

from collections.abc import Mapping, Sequence
from typing import Any

from swaps import images
from swaps.images import budget, cost
from swaps.models.swap_pairs import Point

MARGINS = (0.8, 0.6, 0.4, 0.25, 0.1)  # of the face's box on each side, the widest that fits

Box = tuple[float, float, float, float]  # left, top, right, bottom, 0…1


def crop_to_face(
    photo: images.Photo, faces: Sequence[Mapping[str, Any]], point: Point, user_id: int
) -> images.Photo:
    """Return the photo cropped so that it shows this face, and no other if that is possible.

    Raises ``errors.Overloaded`` or ``errors.TooManyRequests`` while too many pictures are open.
    """
    box = face_box(faces, point)
    if box is None or len(faces) < 2:
        return photo
    memory = cost.memory_of_stored(photo.width * photo.height, len(photo.data))
    with budget.reserve(memory, who=budget.account_name(user_id)):
        return images.crop(photo, box)


def face_box(faces: Sequence[Mapping[str, Any]], point: Point) -> Box | None:
    """Return the part of a picture around the face at ``point``; None when no face is there."""
    boxes = [_box(face) for face in faces]
    mine = next((box for box in boxes if _contains(box, point)), None)
    if mine is None:
        return None
    others = [box for box in boxes if box != mine]
    widened = (_widened(mine, margin) for margin in MARGINS)
    return next((w for w in widened if not any(_overlap(w, o) for o in others)), mine)


def _box(face: Mapping[str, Any]) -> Box:
    return face["x"], face["y"], face["x"] + face["width"], face["y"] + face["height"]


def _contains(box: Box, point: Point) -> bool:
    return box[0] <= point[0] <= box[2] and box[1] <= point[1] <= box[3]


def _widened(box: Box, margin: float) -> Box:
    across, down = margin * (box[2] - box[0]), margin * (box[3] - box[1])
    left, top = max(0.0, box[0] - across), max(0.0, box[1] - down)
    return left, top, min(1.0, box[2] + across), min(1.0, box[3] + down)


def _overlap(one: Box, other: Box) -> bool:
    is_beside = one[2] <= other[0] or other[2] <= one[0]
    is_above = one[3] <= other[1] or other[3] <= one[1]
    return not (is_beside or is_above)
