"""What SITE_URL decides: read by a process of its own, as the site does."""

import json
from typing import Any

import pytest
from pytest_django import Settings

from faceswap_site import env
from swaps.checks import address
from tests.checks import fresh

NAMES = (
    *("SITE_URL", "SITE_PATH", "ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS", "DEFAULT_FROM_EMAIL"),
    *("FACESWAP_HOSTED_URL", "STATIC_URL", "SESSION_COOKIE_PATH", "SESSION_COOKIE_NAME"),
)
PROGRAM = """
import json, threading, django
django.setup()
from django.conf import settings
from django.test import Client
from swaps import links
found = {name: getattr(settings, name) for name in json.loads(%r)}
def in_a_thread():
    found["link"] = links.sample_url("1-face.jpg")
thread = threading.Thread(target=in_a_thread); thread.start(); thread.join()
found["own"] = [bool(links.sample_of_own_url(url)) for url in %r]
client = Client(headers={"host": settings.ALLOWED_HOSTS[-1]})
found["redirect"] = client.get(settings.SITE_PATH + "/docs/api/").get("Location")
found["health"] = client.get(settings.SITE_PATH + "/healthz").get("Location")
print(json.dumps(found))
"""


def read(*own: str, **environment: str) -> dict[str, Any]:
    done = fresh.run(PROGRAM % (json.dumps(NAMES), list(own)), **environment)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_below_a_path_links_cookies_and_redirects_are_below_it() -> None:
    found = read(
        "https://example.org/a/faces/samples/1-face.jpg",
        "HTTPS://Example.org:443/a/faces/samples/1-face.jpg",
        "https://example.org/samples/1-face.jpg",
        SITE_URL="https://example.org/a/faces/",
    )
    assert found["SITE_URL"] == "https://example.org/a/faces"
    assert found["SITE_PATH"] == found["SESSION_COOKIE_PATH"] == "/a/faces"
    assert found["SESSION_COOKIE_NAME"] == "sessionid_a_faces"
    assert found["STATIC_URL"] == "/a/faces/static/"
    assert found["CSRF_TRUSTED_ORIGINS"] == ["https://example.org"]
    assert found["link"] == "https://example.org/a/faces/samples/1-face.jpg"
    assert found["own"] == [True, True, False]
    assert found["redirect"].endswith("/a/faces/docs/api/")
    assert found["health"] is None


def test_a_host_name_beyond_ascii_is_in_ascii_everywhere() -> None:
    host, in_ascii = "B\u00fccher.Example", "xn--bcher-kva.example"
    found = read(
        f"https://{host}/samples/1-face.jpg",
        SITE_URL=f"https://{host}",
        ALLOWED_HOSTS=f"www.{host}, .{host}",
        FACESWAP_HOSTED_URL=f"https://api.{host}/v1/",
    )
    assert found["SITE_URL"] == f"https://{in_ascii}"
    assert {in_ascii, f"www.{in_ascii}", f".{in_ascii}"} <= set(found["ALLOWED_HOSTS"])
    assert found["CSRF_TRUSTED_ORIGINS"] == [f"https://{in_ascii}"]
    assert found["DEFAULT_FROM_EMAIL"] == f"Faceswap <noreply@{in_ascii}>"
    assert found["FACESWAP_HOSTED_URL"] == f"https://api.{in_ascii}/v1"
    assert found["link"] == f"https://{in_ascii}/samples/1-face.jpg"
    assert found["own"] == [True]
    assert json.dumps(found).isascii()


@pytest.mark.parametrize(
    ("host", "in_ascii"),
    [
        ("b\u00fccher.example", "xn--bcher-kva.example"),
        ("BU\u0308CHER.example", "xn--bcher-kva.example"),
        ("fa\u00df.example:8443", "xn--fa-hia.example:8443"),
        ("\u4f8b\u3048\u3002\u30c6\u30b9\u30c8", "xn--r8jz45g.xn--zckzah"),
        ("\uff45\uff58ample.org", "example.org"),
        ("Example.ORG", "example.org"),
        ("[::1]:8000", "[::1]:8000"),
    ],
)
def test_every_address_among_the_settings_is_read_so(
    host: str, in_ascii: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_S3_ENDPOINT_URL", f"HTTPS://{host}/A/b/")
    assert env.url("AWS_S3_ENDPOINT_URL") in {
        f"https://{in_ascii}/A/b",
        f"HTTPS://{in_ascii}/A/b",
    }


@pytest.mark.parametrize("name", ["SITE_URL", "FACESWAP_HOSTED_URL"])
@pytest.mark.parametrize("host", ["\U0001f642.example", "a\u200b\u2028.example", "\u2665.example"])
def test_a_name_that_nobody_can_register_is_refused(
    name: str, host: str, settings: Settings
) -> None:
    setattr(settings, name, f"https://{host}/")
    [problem] = address.check_host_names()
    assert problem.id == "swaps.E025"
    assert name in problem.msg


@pytest.mark.parametrize(
    "path",
    [
        *("/%66aces", "/fac\u00e9s", "/faces/../x", "/.", "//faces", "/a//b", "/<faces>", "/a;b"),
        *("/faces?a=b", "?a=b", "#a", "/a b", "/a+b", "/a@b", "/a:b"),
    ],
)
def test_a_path_that_proxies_read_differently_is_refused(path: str, settings: Settings) -> None:
    settings.SITE_URL = f"https://example.org{path}"
    assert [problem.id for problem in address.check_site_path()] == ["swaps.E024"]


@pytest.mark.parametrize("path", ["", "/faces", "/a/b/c", "/~anna/faces-2_x.y"])
def test_a_plain_path_is_fine(path: str, settings: Settings) -> None:
    settings.SITE_URL = f"https://example.org{path}"
    assert address.check_site_path() == []
    assert address.check_host_names() == []
