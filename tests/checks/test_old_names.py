"""Settings that were renamed: the old name works, the new one counts, and a check tells."""

from pathlib import Path

import pytest

from faceswap_site import env
from tests.checks.test_configuration import PUBLIC, check

OLD, NEW = "FACESWAP_API_KEY", "FACESWAP_HOSTED_KEY"
OLD_URL, NEW_URL = "FACESWAP_API_URL", "FACESWAP_HOSTED_URL"


@pytest.mark.parametrize(
    ("environment", "key"),
    [
        ({OLD: "old"}, "old"),
        ({OLD: "old", NEW: ""}, "old"),
        ({OLD: "old", NEW: "new"}, "new"),
        ({NEW: "new"}, "new"),
        ({}, ""),
    ],
)
def test_the_new_name_counts_and_the_old_one_works(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], key: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert env.secret(NEW) == key


def test_an_address_may_be_given_by_its_old_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(OLD_URL, "https://api.example.org/v1/")

    assert env.url(NEW_URL, "https://default.example") == "https://api.example.org/v1"


def test_a_secret_in_a_file_may_be_given_by_its_old_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "key").write_text("from a file\n", encoding="utf-8")
    monkeypatch.setenv(f"{OLD}_FILE", str(tmp_path / "key"))

    assert env.secret(NEW) == "from a file"
    assert env.old_names() == [env.OldName(old=OLD, new=NEW, is_overruled=False)]

    monkeypatch.setenv(NEW, "new")
    assert env.secret(NEW) == "new"
    assert env.old_names() == [env.OldName(old=OLD, new=NEW, is_overruled=True)]


def test_an_old_name_alone_is_noted_and_fails_nothing() -> None:
    before = {**PUBLIC, NEW: "", OLD: "a key", OLD_URL: "https://api.example.org"}

    checked = check("--deploy", "--fail-level", "WARNING", **before, EMAIL_HOST="localhost")

    assert checked.returncode == 0, checked.stderr
    assert checked.stderr.count("swaps.I001") == 2
    assert f"{OLD} is the old name of {NEW}" in checked.stderr
    assert f"{OLD_URL} is the old name of {NEW_URL}" in checked.stderr


def test_two_names_that_differ_are_warned_of_and_no_key_is_shown() -> None:
    checked = check("--fail-level", "WARNING", **{**PUBLIC, OLD: "not-this", NEW: "nor-that"})

    assert checked.returncode != 0
    assert "swaps.W004" in checked.stderr
    assert "swaps.I001" not in checked.stderr
    assert not {"not-this", "nor-that"} & set(checked.stderr.split())


def test_two_names_that_say_the_same_are_fine() -> None:
    checked = check(**{**PUBLIC, OLD: PUBLIC[NEW]})

    assert checked.returncode == 0, checked.stderr
    assert "swaps." not in checked.stderr
