"""Paths of the repository, and of the photos that tests use."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PHOTOS = ROOT / "tests" / "photos"
CASES = ROOT / "tests" / "cases"  # pictures that once went wrong

SOURCE = PHOTOS / "face-man-beard-smile.jpg"
TARGET = PHOTOS / "face-man-frontal.jpg"
OTHER = PHOTOS / "face-woman-smiling-frontal.jpg"
NO_FACE = PHOTOS / "noface-cap-over-face.jpg"
COUPLE = PHOTOS / "group-two-people.jpg"
