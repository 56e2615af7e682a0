"""manage.py faces, as a person at a desk runs it."""

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from tests.parts import on_one_database
from tests.paths import PHOTOS

pytestmark = on_one_database


def test_the_faces_are_printed_largest_first(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("faces", PHOTOS / "group-two-people.jpg")
    found = json.loads(capsys.readouterr().out)
    man, woman = found["faces"]
    assert man["width"] > woman["width"]
    assert man["x"] < 0.5 < woman["x"]
    assert 0 < man["width"] < 0.3
    assert man["advice"] == ["several"]
    assert found["image_width"] > found["image_height"] > 0


def test_no_face_is_an_empty_list(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("faces", PHOTOS / "noface-cap-over-face.jpg")
    assert json.loads(capsys.readouterr().out)["faces"] == []


def test_what_is_no_picture_is_said_in_one_line() -> None:
    with pytest.raises(CommandError, match=r"README\.md: ") as failure:
        call_command("faces", PHOTOS / "README.md")
    assert "\n" not in str(failure.value)


def test_missing_models_are_said(tmp_path: Path, settings: Settings) -> None:
    settings.FACESWAP_MODELS_DIR = tmp_path
    with pytest.raises(CommandError, match="fetch_models"):
        call_command("faces", PHOTOS / "face-man-frontal.jpg")
