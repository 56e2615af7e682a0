import subprocess
from pathlib import Path

import pytest
from django.conf import settings
from PIL import Image

from bench.pictures import releases
from tests.paths import PHOTOS, ROOT


def git(*arguments: str | Path) -> None:
    subprocess.run(["git", *arguments], check=True, capture_output=True)


def test_a_commit_is_exported_once_as_it_was(tmp_path: Path) -> None:
    repository, code = tmp_path / "repository", tmp_path / "repository" / "swaps" / "code.py"
    code.parent.mkdir(parents=True)
    code.write_text("old", encoding="utf-8")
    git("init", "-q", repository)
    who = ("-c", "user.name=ann", "-c", "user.email=ann@example.com")
    git("-C", repository, "add", ".")
    git("-C", repository, *who, "commit", "-qm", "A file is added")
    code.write_text("new", encoding="utf-8")
    release = releases.export(repository, "HEAD", tmp_path / "out")
    assert (release / "swaps" / "code.py").read_text(encoding="utf-8") == "old"
    (release / "kept").touch()
    assert releases.export(repository, "HEAD", tmp_path / "out") == release
    assert (release / "kept").exists()


def test_an_engine_swaps_one_pair_after_the_other_and_goes_on_after_a_photo_without_a_face(
    tmp_path: Path,
) -> None:
    photos = [tmp_path / f"{name}.jpg" for name in ("face-man-frontal", "face-woman-frontal")]
    for photo in photos:
        with Image.open(PHOTOS / photo.name) as image:
            image.reduce(3).save(photo)
    empty, result = tmp_path / "empty.png", tmp_path / "result.png"
    Image.new("RGB", (200, 200)).save(empty)
    with releases.engine_of(ROOT, settings.FACESWAP_MODELS_DIR) as swap:
        assert "no face" in swap(empty, photos[1], result)["error"]
        assert not result.exists()
        assert swap(photos[0], photos[1], result)["ms"] > 0
        with Image.open(result) as image, Image.open(photos[1]) as target:
            assert image.size == target.size


def test_an_engine_that_breaks_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(SystemExit, match="broke on"),
        releases.engine_of(ROOT, tmp_path / "no-models") as swap,
    ):
        swap(tmp_path / "a.jpg", tmp_path / "b.jpg", tmp_path / "c.png")
