"""The nginx of docs/operations.md: who asks is what it sees, and its logs hold no secrets."""

import re

import pytest

from tests.doors.wire import Door
from tests.running_site import RunningSite

LOGIN = "/accounts/login/"


def test_a_rotating_header_does_not_get_past_the_limit_on_sign_ups(nginx: Door) -> None:
    answers = [
        nginx.sign_up("no address", f"X-Forwarded-For: 198.51.100.{n}", source="127.0.0.21")
        for n in range(22)
    ]
    statuses = [answer.status for answer in answers]
    assert statuses == [200] * 20 + [429] * 2

    assert nginx.sign_up("honest@example.com", source="127.0.0.22").status == 302


def test_nor_past_the_one_on_wrong_passwords(nginx: Door) -> None:
    def sprayed(number: int, source: str) -> str:
        fields = {"login": f"victim{number}@example.com", "password": "Password1!"}
        header = f"X-Forwarded-For: 203.0.113.{number}, 198.51.100.{number}"
        return nginx.post(LOGIN, fields, header, source=source).body

    tried = ["Too many failed" not in sprayed(number, "127.0.0.23") for number in range(11)]

    assert tried == [True] * 10 + [False]
    assert "Too many failed" not in sprayed(99, "127.0.0.24")


def test_by_https_is_what_nginx_says(nginx: Door) -> None:
    assert nginx.ask("GET /", "X-Forwarded-Proto: http").status == 200


SECRETS = [
    "GET /files/SECRET/",
    "GET //files//SECRET/",
    "GET /FILES/SECRET",
    "GET /files%2fSECRET",
    "GET /%66iles/SECRET/",
    "GET /callbacks/%20SECRET/",
    "GET /callbacks/ SECRET",
    "GET /callbacks/inspect/SECRET/",
    "GET /accounts/confirm-email/SECRET/",
    "GET /accounts/password/reset/key/1-SECRET/",
    "GET /swaps/?next=/files/SECRET/",
    "GET /s/SECRET/",
]


@pytest.mark.parametrize("line", SECRETS)
def test_no_log_shows_what_stands_in_a_secret_path(
    nginx: Door, gunicorn: Door, site: RunningSite, line: str
) -> None:
    for door in (nginx, gunicorn):
        assert door.ask(line, "Referer: https://faces.example.org/files/SECRET/").status >= 200
    logs = [path.read_text() for path in nginx.folder.glob("*.log")]
    assert "GET" in "".join(logs)
    assert "SECRET" not in "".join(logs)
    assert "SECRET" not in site.read_log()


def test_the_error_log_shows_none_either(nginx: Door) -> None:
    """While the site is down nginx logs each request that it could not pass on."""
    configuration = (nginx.folder / "nginx.conf").read_text()
    secret = re.search(r"location ~\* (\S+) \{\s*error_log /dev/null;", configuration)
    assert secret
    for line in SECRETS[:4] + SECRETS[8:10] + SECRETS[11:]:
        path = line.removeprefix("GET ").replace("%2f", "/").replace("//", "/")
        assert re.search(secret[1], path, re.IGNORECASE), path
