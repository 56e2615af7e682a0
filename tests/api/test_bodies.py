"""URLs in calls, as they are written, and bodies that are packed."""

import base64
import gzip
import io
import json
import tracemalloc
import zlib
from collections.abc import Callable
from urllib.parse import quote

import pytest
from PIL import Image
from pytest_django import Settings

from swaps import storage
from swaps.models import Swap
from tests.api_caller import ASYNC, SAMPLES, Caller, error_code
from tests.pictures import picture


@pytest.fixture(autouse=True)
def _database(db: None) -> None:
    """All of these look at rows."""


def swap_of(answer: object) -> Swap:
    return Swap.objects.get(pk=answer.json()["task_id"])  # type: ignore[attr-defined]


# --- data: URLs -----------------------------------------------------------------------------


def _in_lines(data: str) -> str:
    return "\r\n".join(data[at : at + 76] for at in range(0, len(data), 76))


SPELLINGS: dict[str, Callable[[str], str]] = {
    "as it should be": lambda data: f"data:image/png;base64,{data}",
    "line breaks": lambda data: f"data:image/png;base64,{_in_lines(data)}",
    "encoded line breaks": lambda data: f"data:image/png;base64,{quote(_in_lines(data))}",
    "%2B, %2F and %3D": lambda data: f"data:image/png;base64,{quote(data, safe='')}",
    "%2b in lower case": lambda data: f"data:image/png;base64,{data.replace('+', '%2b')}",
    "no padding": lambda data: f"data:image/png;base64,{data.rstrip('=')}",
    "URL-safe letters": lambda data: (
        f"data:image/png;base64,{data.translate(str.maketrans('+/', '-_')).rstrip('=')}"
    ),
    "all of it encoded": lambda data: (
        f"data:image/png;base64,{''.join(f'%{ord(letter):02x}' for letter in data)}"
    ),
    "blanks": lambda data: f"data:image/png; base64 , {data[:100]}\t{data[100:]} ",
    "upper case": lambda data: f"DATA:IMAGE/PNG;BASE64,{data}",
    "a charset": lambda data: f"data:image/png;charset=utf-8;base64,{data}",
    "no type": lambda data: f"data:;base64,{data}",
}


@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS)
def test_a_data_url_may_be_written_as_people_write_them(
    caller: Caller, spell: Callable[[str], str]
) -> None:
    data = picture(size=(64, 48), format="PNG")
    while not {"+", "/", "="} <= set(encoded := base64.b64encode(data).decode()):
        data += b"\xfb\xff"  # behind the end of a PNG anything may stand
    swap = swap_of(caller.swap({**ASYNC, "target_image_url": spell(encoded)}))
    with Image.open(io.BytesIO(storage.read(swap.target_key))) as stored:
        assert stored.size == (64, 48)
    assert swap.request
    assert len(swap.request["target_image_url"]) < 50


@pytest.mark.parametrize(
    "url",
    [
        "data:",
        "data:image/png",
        "data:,hello",
        "data:;base64,a",
        "data:;base64,a===",
        "data:;base64,ä",
    ],
)
def test_what_is_no_data_url_is_a_bad_request(caller: Caller, url: str) -> None:
    answer = caller.swap({**ASYNC, "target_image_url": url})
    assert (answer.status_code, error_code(answer)) == (400, "bad_request")


def test_a_picture_url_may_have_4000_characters(caller: Caller) -> None:
    url = f"https://example.org/{'a' * 3980}"
    swap = swap_of(caller.swap({**ASYNC, "source_image_url": url, "callback_url": url}))
    assert (swap.request or {})["source_image_url"] == swap.callback_url == url
    for field in ("source_image_url", "callback_url"):
        answer = caller.swap({**ASYNC, field: f"{url}a"})
        assert (answer.status_code, error_code(answer)) == (400, "bad_request")
        assert "4,000" in answer.json()["error"]["message"]


# --- packed bodies --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("GZIP", gzip.compress),
        ("x-gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", lambda data: zlib.compress(data)[2:-4]),
        ("identity", bytes),
        ("gzip", lambda data: gzip.compress(data[:9]) + gzip.compress(data[9:])),
    ],
)
def test_a_body_may_be_packed(
    caller: Caller, encoding: str, pack: Callable[[bytes], bytes]
) -> None:
    packed = pack(json.dumps(ASYNC).encode())
    assert caller.swap(packed, content_encoding=encoding).status_code == 200


def test_a_packed_body_is_bounded_by_what_it_becomes(caller: Caller, settings: Settings) -> None:
    settings.FACESWAP_API_MAX_BODY_BYTES = 1_000_000
    endless = gzip.compress(b"", 9) * 60_000  # which becomes nothing, and is too long itself
    for packed in (gzip.compress(bytes(100_000_000), 1), endless):
        tracemalloc.start()
        answer = caller.swap(packed, content_encoding="gzip")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert (answer.status_code, error_code(answer)) == (413, "payload_too_large")
        assert peak < 10_000_000


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("br", b"\x0b\x01\x80{}\x03"),
        ("gzip, gzip", gzip.compress(gzip.compress(b"{}"))),
        ("gzip", b"{}"),
        ("gzip", gzip.compress(json.dumps(ASYNC).encode())[:-9]),
        ("deflate", b"\xff\xff"),
    ],
    ids=["another", "twice", "plain", "cut short", "garbage"],  # gzip writes the time into it
)
def test_a_body_that_cannot_be_unpacked_is_a_bad_request(
    caller: Caller, encoding: str, body: bytes
) -> None:
    answer = caller.swap(body, content_encoding=encoding)
    assert (answer.status_code, error_code(answer)) == (400, "bad_request")
    assert "content-encoding" in answer.json()["error"]["message"]


# --- callbacks that lead inside -------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "LOCALHOST", "localhost.", "foo.localhost", "localhost:80", "a@localhost"),
        *("ｌｏｃａｌｈｏｓｔ", "127.0.0.1", "127.1", "0x7f.1", "2130706433", "１２７.1", "0"),
        *("[::1]", "[::ffff:127.0.0.1]", "[fe80::1%25eth0]", "10.0.0.1", "169.254.169.254"),
    ],
)
@pytest.mark.parametrize("field", ["callback_url", "source_image_url"])
def test_a_url_that_leads_inside_is_refused_at_once(caller: Caller, field: str, host: str) -> None:
    answer = caller.swap({**ASYNC, field: f"http://{host}/hook"})
    assert (answer.status_code, error_code(answer)) == (400, "bad_request")
    assert field in answer.json()["error"]["message"]
    assert not Swap.objects.exists()


@pytest.mark.parametrize("entry", ["localhost", "localhost:8080", "127.0.0.0/8"])
def test_what_the_operator_allows_may_be_called_back(
    caller: Caller, settings: Settings, entry: str
) -> None:
    settings.FACESWAP_FETCH_ALLOW = [entry]
    body = {**SAMPLES, "callback_url": "http://localhost:8080/hook"}
    assert caller.swap(body).status_code == 200
