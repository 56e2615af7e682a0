"""Faces as JSON: what ``/face/detect``, the form of a new swap and ``manage.py faces`` say."""

from typing import Any

from swaps.engines.classical import DetectedFace


def as_json(face: DetectedFace, width: int, height: int) -> dict[str, Any]:
    """Return a face of a picture of ``width`` × ``height`` pixels.

    The box is relative to the picture, 0…1, and clipped to it; angles are in degrees.
    """
    x, y, box_width, box_height = face.box
    left, right = _within(x / width), _within((x + box_width) / width)
    top, bottom = _within(y / height), _within((y + box_height) / height)
    return {
        "x": left,
        "y": top,
        "width": round(right - left, 4),
        "height": round(bottom - top, 4),
        "yaw": round(face.yaw, 1),
        "pitch": round(face.pitch, 1),
        "roll": round(face.roll, 1),
        "sharpness": round(face.sharpness, 3),
        "advice": list(face.advice),
    }


def _within(value: float) -> float:
    return round(min(max(value, 0.0), 1.0), 4)
