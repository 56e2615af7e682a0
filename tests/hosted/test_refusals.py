"""``submit`` to a provider that refuses, or wants to be asked later."""

import datetime
import email.utils
import logging
from collections.abc import Callable

import pytest
from pytest_django import Settings

from swaps import errors
from swaps.providers.base import (
    RetryLater,
)
from tests.hosted.provider_calls import HTML, SHORT, error, problem_of, replies, submit
from tests.net_servers import drips, says, serving
from tests.provider_server import (
    refuses,
    running_provider,
)

pytestmark = pytest.mark.usefixtures("the_key_is_good")


# --- Refusals -------------------------------------------------------------------------------------

REFUSALS = [
    (400, "bad_request", errors.ApiError),
    (400, "no_token", errors.ApiError),
    (400, "token_mismatched", errors.ApiError),
    (401, "token_mismatched", errors.ApiError),
    (400, "api_not_implemented", errors.ApiError),
    (400, "invalid_image", errors.InvalidImage),
    (400, "no_face", errors.NoFace),
    (401, "invalid_token", errors.ApiError),
    (401, "token_expired", errors.ApiError),
    (403, "used_up", errors.ApiError),
    (403, "disabled", errors.ApiError),
    (403, "forbidden", errors.Forbidden),
    (404, "no_api", errors.ApiError),
    (405, "method_not_allowed", errors.ApiError),
    (409, "idempotency_conflict", errors.ApiError),
    (413, "payload_too_large", errors.InvalidImage),
    (400, "what_is_this", errors.ApiError),
    (200, "no_face", errors.NoFace),
    (200, "api_error", errors.ApiError),
]


@pytest.mark.parametrize(("status", "code", "kind"), REFUSALS)
def test_a_refusal_is_final_and_says_why(
    status: int, code: str, kind: type[errors.SwapError], settings: Settings
) -> None:
    behaviour = refuses(status, code, "Because.")
    with running_provider(behaviour) as provider, pytest.raises(kind) as refusal:
        submit(settings, provider)
    assert "Because" not in refusal.value.message
    assert problem_of(refusal.value) == f"{status} {code}: Because."
    assert len(provider.swaps) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"success": False, "task_id": "a-task", "error": {"code": "no_face", "message": None}},
        {"error": {"code": "no_face"}},
        {"success": False, "error": "no_face"},
        {"error": "No-Face"},
        {"error": ["no_face", "again"]},
        {"error": [{"code": "NO FACE"}]},
        {"success": "false", "code": "no_face", "message": "In neither."},
        {"error": None, "code": "no_face"},
    ],
    ids=ascii,
)
@pytest.mark.parametrize("status", [400, 422])
def test_an_error_is_understood_in_every_spelling(
    status: int, body: object, settings: Settings
) -> None:
    with running_provider(replies(body, status=status)) as provider, pytest.raises(errors.NoFace):
        submit(settings, provider)


@pytest.mark.parametrize("body", [b"", HTML, b"null", b'"no"', b"[]", b"{}", b'{"error": null}'])
@pytest.mark.parametrize(
    ("status", "kind", "word"),
    [
        (400, errors.ApiError, "other photos"),
        (401, errors.ApiError, "operator"),
        (402, errors.ApiError, "operator"),
        (403, errors.ApiError, "operator"),
        (404, errors.ApiError, "operator"),
        (405, errors.ApiError, "operator"),
        (413, errors.InvalidImage, "smaller"),
        (418, errors.ApiError, "other photos"),
    ],
)
def test_a_refusal_that_says_nothing_is_known_by_its_status(
    status: int, kind: type[errors.SwapError], word: str, body: bytes, settings: Settings
) -> None:
    with running_provider(replies(body, status=status)) as provider, pytest.raises(kind) as refusal:
        submit(settings, provider)
    assert word in refusal.value.message
    assert problem_of(refusal.value).startswith(str(status))


def test_a_key_that_is_not_taken_is_the_operators_matter(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.FACESWAP_HOSTED_KEY = "another-key"
    with running_provider() as provider, pytest.raises(errors.ApiError) as refusal:
        submit(settings, provider)
    assert "operator" in refusal.value.message
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "401 invalid_token: The key is wrong." in caplog.text
    assert "another-key" not in caplog.text


# --- Not now --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        error("too_many_requests"),
        error("rate_limited"),
        {"error": "rate_limited"},
        error("used_up"),
        HTML,
        b"",
    ],
    ids=ascii,
)
def test_a_provider_that_wants_fewer_calls_is_busy(body: object, settings: Settings) -> None:
    busy = replies(body, status=429, retry_after="17")
    with running_provider(busy) as provider, pytest.raises(RetryLater) as trouble:
        submit(settings, provider)
    assert trouble.value.is_busy
    assert trouble.value.retry_after == 17
    assert trouble.value.message.startswith("429")


@pytest.mark.parametrize("status", [200, 400, 403])
@pytest.mark.parametrize("code", ["too_many_requests", "rate_limited"])
def test_it_is_busy_whatever_the_status(code: str, status: int, settings: Settings) -> None:
    with running_provider(refuses(status, code)) as provider, pytest.raises(RetryLater) as trouble:
        submit(settings, provider)
    assert trouble.value.is_busy


@pytest.mark.parametrize("body", [error("api_error", "Away."), HTML, b"", b"[1]"], ids=ascii)
@pytest.mark.parametrize("status", [408, 425, 500, 501, 502, 503, 507, 520, 599])
def test_a_provider_that_is_down_has_begun_nothing(
    status: int, body: object, settings: Settings
) -> None:
    down = replies(body, status=status, retry_after="2")
    with running_provider(down) as provider, pytest.raises(RetryLater) as trouble:
        submit(settings, provider)
    assert not trouble.value.is_busy
    assert trouble.value.retry_after == 2
    assert trouble.value.message.startswith(str(status))


def test_a_refusal_is_one_however_its_body_ends(settings: Settings) -> None:
    settings.FACESWAP_HOSTED_TIMEOUT_SECONDS = SHORT
    for behave in (
        says(b"HTTP/1.1 503 Away\r\nContent-Length: 100\r\n\r\n{"),
        drips(b"HTTP/1.1 503 Away\r\nContent-Length: 100\r\n\r\n", b" "),
        says(b"HTTP/1.1 503 Away\r\nContent-Length: 70000\r\n\r\n" + b" " * 70_000),
    ):
        with serving(behave) as server, pytest.raises(RetryLater) as trouble:
            submit(settings, f"http://127.0.0.1:{server.port}")
        assert trouble.value.message == "503"


def in_seconds(seconds: float, *, zone: str = "GMT") -> str:
    moment = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds)
    return email.utils.format_datetime(moment, usegmt=True).replace("GMT", zone)


@pytest.mark.parametrize(
    ("say", "least", "most"),
    [
        (lambda: "0", 0, 0),
        (lambda: "1.5", 1.5, 1.5),
        (lambda: "-5", 0, 0),
        (lambda: "99999999999", 3600, 3600),
        (lambda: in_seconds(300), 240, 301),
        (lambda: in_seconds(-300), 0, 0),
        (lambda: in_seconds(10**6), 3600, 3600),
        (lambda: in_seconds(300, zone="-0000"), 240, 301),
    ],
)
def test_when_to_come_back_is_read_within_reason(
    say: Callable[[], str], least: float, most: float, settings: Settings
) -> None:
    busy = replies(b"", status=429, retry_after=say())
    with running_provider(busy) as provider, pytest.raises(RetryLater) as trouble:
        submit(settings, provider)
    assert trouble.value.retry_after is not None
    assert least <= trouble.value.retry_after <= most


@pytest.mark.parametrize(
    "header",
    [
        "",
        "soon",
        "nan",
        "inf",
        "-inf",
        "9" * 5_000,
        "Mon, 99 Foo 2026 00:00:00 GMT",
        "Fri, 31 Dec 9999 23:59:59 -2359",
        "\xff",
    ],
    ids=ascii,
)
def test_when_to_come_back_may_make_no_sense(header: str, settings: Settings) -> None:
    busy = replies(b"", status=429, retry_after=header)
    with running_provider(busy) as provider, pytest.raises(RetryLater) as trouble:
        submit(settings, provider)
    assert trouble.value.retry_after in {None, 3600}
