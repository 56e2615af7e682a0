"""What can be set wrong is said before the site starts."""

import subprocess
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from faceswap_site import env, secret_key
from swaps.checks import deployment
from tests.checks import fresh

CHECK = """
import runpy, sys
sys.argv = %r
runpy.run_path("manage.py", run_name="__main__")
"""


def check(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return fresh.run(CHECK % ["manage.py", "check", *arguments], **environment)


BUCKET = {"AWS_STORAGE_BUCKET_NAME": "faces"}
PUBLIC = {
    "SITE_URL": "https://faces.example.org",
    "BEHIND_PROXY": "1",
    "FACESWAP_HOSTED_KEY": "a key",
}


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"SITE_URL": "http://faces.example.org"}, "swaps.E002"),
        ({"SITE_URL": "https://faces.example.org", "DEBUG": "1"}, "swaps.E003"),
        ({"SITE_URL": "faces.example.org"}, "swaps.E001"),
        ({"FACESWAP_FETCH_ALLOW": "10.0.0.0/8, http://lan"}, "swaps.E004"),
        ({"FACESWAP_MAX_BATCH": "51"}, "swaps.E026"),
        ({"FACESWAP_PROVIDER": "elsewhere"}, "swaps.E005"),
        ({"FACESWAP_API_PROVIDER": "Hosted"}, "swaps.E005"),
        ({"FACESWAP_PROVIDER": "hosted"}, "swaps.E006"),
        ({**PUBLIC, "FACESWAP_CALLBACK_DEADLINE": "200000"}, "swaps.E007"),
        ({**PUBLIC, "FACESWAP_HOSTED_RESULT_HOSTS": "http://cdn"}, "swaps.E008"),
        ({**PUBLIC, "FACESWAP_HOSTED_URL": "api.example.org"}, "swaps.E009"),
        ({**PUBLIC, "FACESWAP_HOSTED_URL": "http://api.example.org"}, "swaps.E009"),
        ({**PUBLIC, "FACESWAP_HOSTED_URL": "https://faces.example.org"}, "swaps.E010"),
        (
            {"FACESWAP_HOSTED_KEY": "a key", "FACESWAP_HOSTED_URL": "http://localhost:8000"},
            "swaps.E010",
        ),
        (
            {"FACESWAP_HOSTED_KEY": "a key", "FACESWAP_HOSTED_URL": "http://[::1]:8000"},
            "swaps.E010",
        ),
        (
            {"FACESWAP_HOSTED_KEY": "a key", "FACESWAP_HOSTED_URL": "http://127.0.0.2:8000"},
            "swaps.E010",
        ),
        (
            {"FACESWAP_HOSTED_KEY": "a key", "FACESWAP_HOSTED_URL": "http://0.0.0.0:8000"},
            "swaps.E010",
        ),
        ({"FACESWAP_HOSTED_KEY": "a key"}, "swaps.E011"),
        ({"FACESWAP_HOSTED_KEY": "a key", "SITE_URL": "https://faces.lan"}, "swaps.E011"),
        (
            {"FACESWAP_HOSTED_KEY": "a key", "FACESWAP_HOSTED_URL": "http://10.0.0.5:8000"},
            "swaps.E011",
        ),
        ({**PUBLIC, **BUCKET, "AWS_S3_ENDPOINT_URL": "http://minio:9000"}, "swaps.E011"),
        ({**PUBLIC, **BUCKET, "AWS_S3_ENDPOINT_URL": "https://minio:99999"}, "swaps.E012"),
        ({"FACESWAP_DECODE_MB": "500"}, "swaps.E014"),
        ({"FACESWAP_MIN_FREE_MB": "999999999"}, "swaps.E021"),
        ({"FACESWAP_ACCOUNT_MB": "39"}, "swaps.E022"),
        ({"SITE_URL": "https://example.org/a b"}, "swaps.E024"),
        ({"SITE_URL": "https://\U0001f642.example"}, "swaps.E025"),
        ({**BUCKET, "AWS_S3_ENDPOINT_URL": "https://\U0001f642.example"}, "swaps.E025"),
        (
            {
                **PUBLIC,
                "SITE_URL": "https://faces.example.org/a/b",
                "FACESWAP_HOSTED_URL": "https://faces.example.org/a/b/engine",
            },
            "swaps.E010",
        ),
        ({"DEBUG": "perhaps"}, "DEBUG='perhaps'"),
        ({"FACESWAP_MAX_UPLOAD_MB": "lots"}, "FACESWAP_MAX_UPLOAD_MB='lots'"),
        ({"FACESWAP_MAX_ATTEMPTS": "0"}, "at least 1"),
    ],
)
def test_a_wrong_setting_stops_the_start_with_its_name(
    environment: dict[str, str], message: str
) -> None:
    checked = check(**environment)
    assert checked.returncode != 0
    assert message in checked.stderr


def test_a_right_public_setting_passes() -> None:
    checked = check(SITE_URL="https://faces.example.org", BEHIND_PROXY="1")
    assert checked.returncode == 0, checked.stderr
    assert "swaps." not in checked.stderr


@pytest.mark.parametrize(
    ("networks", "ids"),
    [
        ("10.0.0.5, nginx", ["swaps.E017"]),
        ("10.0.0.5/8", ["swaps.E017"]),
        ("10.0.0.5:80", ["swaps.E017"]),
        ("0.0.0.0/0", ["swaps.E018"]),
        ("0.0.0.0/1, 128.0.0.0/1", ["swaps.E018", "swaps.E018"]),
        ("::/0", ["swaps.E018"]),
        ("::ffff:0:0/96", ["swaps.E018"]),
        ("2000::/3", ["swaps.E018"]),
        ("10.0.0.0/8, fc00::/7", []),
        ("104.16.0.0/13, 2400:cb00::/32", []),
        ("::ffff:10.0.0.5, ::1", []),
        ("", ["swaps.W003"]),
    ],
)
def test_proxies_that_are_none_or_everybody_are_found(
    networks: str, ids: list[str], settings: Settings
) -> None:
    settings.IS_HTTPS = True
    settings.FACESWAP_TRUSTED_PROXIES = [entry.strip() for entry in networks.split(",") if entry]
    assert [problem.id for problem in deployment.check_proxies()] == ids


def test_a_deployment_whose_reset_links_would_stand_in_the_log_is_refused() -> None:
    public = {"SITE_URL": "https://faces.example.org", "BEHIND_PROXY": "1"}
    refused = check("--deploy", **public)
    assert refused.returncode != 0
    assert "swaps.E016" in refused.stderr
    accepted = check("--deploy", **public, EMAIL_HOST="localhost")
    assert accepted.returncode == 0, accepted.stderr


def test_a_key_for_a_hosted_provider_is_enough_where_it_can_reach_the_site() -> None:
    checked = check(**PUBLIC)
    assert checked.returncode == 0, checked.stderr
    assert "swaps." not in checked.stderr


def test_a_provider_on_the_same_machine_needs_neither_bucket_nor_public_address() -> None:
    beside = {"FACESWAP_HOSTED_KEY": "a key", "FACESWAP_HOSTED_URL": "http://127.0.0.1:8001"}
    checked = check(**beside, FACESWAP_HOSTED_RESULT_HOSTS="127.0.0.1:8001")
    assert checked.returncode == 0, checked.stderr
    assert "swaps." not in checked.stderr
    checked = check(**beside)
    assert checked.returncode == 0, checked.stderr
    assert "swaps.W002" in checked.stderr  # its results may lie there as well, and that is closed


def test_pictures_in_a_bucket_are_enough_but_callbacks_that_cannot_arrive_are_warned_of() -> None:
    checked = check(FACESWAP_HOSTED_KEY="a key", **BUCKET)
    assert checked.returncode == 0, checked.stderr
    assert "swaps.W001" in checked.stderr


def test_a_bucket_in_a_network_of_its_own_needs_a_public_address() -> None:
    inside = {**PUBLIC, **BUCKET, "AWS_S3_ENDPOINT_URL": "http://minio:9000"}
    checked = check(**inside, AWS_S3_PUBLIC_ENDPOINT_URL="https://pictures.example.org")
    assert checked.returncode == 0, checked.stderr


def test_the_key_for_the_provider_is_in_no_complaint() -> None:
    for url in ("ftp://api.example.org", "https://user:not-to-be-shown@api.example.org"):
        checked = check(FACESWAP_HOSTED_KEY="not-to-be-shown", FACESWAP_HOSTED_URL=url)
        assert checked.returncode != 0
        assert "not-to-be-shown" not in checked.stdout + checked.stderr


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
