"""What can be set wrong is said before the site starts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from faceswap_site import env, secret_key


def check(**environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=settings.BASE_DIR,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "faceswap_site.settings", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"SITE_URL": "http://faces.example.org"}, "swaps.E002"),
        ({"SITE_URL": "https://faces.example.org", "DEBUG": "1"}, "swaps.E003"),
        ({"SITE_URL": "faces.example.org"}, "swaps.E001"),
        ({"FACESWAP_FETCH_ALLOW": "10.0.0.0/8, http://lan"}, "swaps.E004"),
        ({"DEBUG": "perhaps"}, "DEBUG='perhaps'"),
        ({"FACESWAP_MAX_UPLOAD_MB": "lots"}, "FACESWAP_MAX_UPLOAD_MB='lots'"),
        ({"FACESWAP_MAX_ATTEMPTS": "0"}, "at least 1"),
    ],
)
def test_a_wrong_setting_stops_the_start_with_its_name(
    environment: dict[str, str], said: str
) -> None:
    checked = check(**environment)
    assert checked.returncode != 0
    assert said in checked.stderr


def test_a_right_public_setting_passes() -> None:
    checked = check(SITE_URL="https://faces.example.org")
    assert checked.returncode == 0, checked.stderr


def test_a_secret_may_come_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key").write_text("from a file\n", encoding="utf-8")
    monkeypatch.setenv("SOME_SECRET_FILE", str(tmp_path / "key"))
    assert env.secret("SOME_SECRET") == "from a file"
    monkeypatch.setenv("SOME_SECRET_FILE", str(tmp_path / "missing"))
    with pytest.raises(ImproperlyConfigured, match="SOME_SECRET_FILE"):
        env.secret("SOME_SECRET")


def test_the_signing_key_is_made_once_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "var" / "secret_key"
    first = secret_key.read_or_create(path)
    assert len(first) >= 50
    assert secret_key.read_or_create(path) == first
    assert path.stat().st_mode & 0o077 == 0
