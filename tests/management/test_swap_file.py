"""manage.py swap_file, as a person at a desk runs it."""

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from PIL import Image, ImageChops
from pytest_django import Settings

from tests.parts import on_one_database
from tests.paths import PHOTOS

pytestmark = on_one_database

BOB, CHARLIE = PHOTOS / "face-man-frontal.jpg", PHOTOS / "face-man-beard-smile.jpg"


@pytest.mark.parametrize(("suffix", "kind"), [(".jpg", "JPEG"), (".png", "PNG"), (".webp", "WEBP")])
def test_the_result_is_written_in_the_format_of_its_name(
    tmp_path: Path, suffix: str, kind: str
) -> None:
    result = tmp_path / f"result{suffix}"
    call_command("swap_file", BOB, CHARLIE, result)
    with Image.open(result) as picture, Image.open(CHARLIE) as target:
        assert picture.format == kind
        assert picture.size == target.size


def test_the_stages_are_shown_on_request(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("swap_file", BOB, CHARLIE, tmp_path / "result.jpg", verbosity=2)
    assert capsys.readouterr().out.split()[:3] == ["detect", "align", "warp"]


def test_faces_that_look_apart_are_warned_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("swap_file", BOB, PHOTOS / "hard-man-profile.jpg", tmp_path / "result.jpg")
    assert "different directions" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        ("noface-cap-over-face.jpg", CHARLIE.name, "No face was found in the source picture"),
        (BOB.name, "noface-cap-over-face.jpg", "No face was found in the target picture"),
        ("README.md", CHARLIE.name, "README.md: "),
        (BOB.name, "nowhere.jpg", "nowhere.jpg could not be read: No such file"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    tmp_path: Path, source: str, target: str, message: str
) -> None:
    result = tmp_path / "result.jpg"
    with pytest.raises(CommandError, match=message) as failure:
        call_command("swap_file", PHOTOS / source, PHOTOS / target, result)
    assert "\n" not in str(failure.value)
    assert not result.exists()


def test_a_result_of_unknown_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"name it \.jpg, \.png or \.webp"):
        call_command("swap_file", BOB, CHARLIE, tmp_path / "result.bmp")


def test_a_result_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="could not be written"):
        call_command("swap_file", BOB, CHARLIE, tmp_path / "nowhere" / "result.jpg")


def test_missing_models_are_said(tmp_path: Path, settings: Settings) -> None:
    settings.FACESWAP_MODELS_DIR = tmp_path
    with pytest.raises(CommandError, match="fetch_models"):
        call_command("swap_file", BOB, CHARLIE, tmp_path / "result.jpg")


def changed_people(result: Path, target: Path) -> tuple[bool, bool]:
    """Whether the man on the left and the woman on the right were changed."""
    with Image.open(result) as after, Image.open(target) as before:
        difference = ImageChops.difference(after.convert("RGB"), before.convert("RGB"))
    middle, height = round(0.6 * difference.width), difference.height  # between the two people
    left = difference.crop((0, 0, middle, height)).getbbox()
    right = difference.crop((middle, 0, difference.width, height)).getbbox()
    return left is not None, right is not None


@pytest.mark.parametrize(
    ("arguments", "people"),
    [
        ((), (True, False)),
        (("--target-face", "0.68,0.3"), (False, True)),
        (("--all",), (True, True)),
    ],
)
def test_the_face_to_replace_can_be_chosen(
    tmp_path: Path, arguments: tuple[str, ...], people: tuple[bool, bool]
) -> None:
    result, target = tmp_path / "result.png", PHOTOS / "group-two-people.jpg"
    call_command("swap_file", str(BOB), str(target), str(result), *arguments)
    assert changed_people(result, target) == people


def test_a_point_on_no_face_is_said(tmp_path: Path) -> None:
    arguments = [str(BOB), str(CHARLIE), str(tmp_path / "result.png"), "--source-face", "0,1"]
    with pytest.raises(CommandError, match="No face was found at 0,1 of the source picture"):
        call_command("swap_file", *arguments)


@pytest.mark.parametrize("point", ["1.5,0", "0", "x,y", "nan,0"])
def test_what_is_no_point_is_refused(tmp_path: Path, point: str) -> None:
    arguments = [str(BOB), str(CHARLIE), str(tmp_path / "result.png"), "--target-face", point]
    with pytest.raises(CommandError, match="--target-face"):
        call_command("swap_file", *arguments)
