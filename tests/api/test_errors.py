"""Every error, from every path under /face/, in one shape."""

import errno
import re
import uuid
from typing import Any

import pytest
from django.conf import settings as site
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import Settings

from swaps import errors
from swaps.api.description.error_meanings import MEANINGS
from swaps.models import ApiKey, Swap
from tests.api_caller import ASYNC, SAMPLES, Caller, error_code

pytestmark = pytest.mark.django_db
INSPECTOR = f"{site.SITE_URL}/callbacks/inspect/"
METHODS = ("GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW")


@pytest.mark.parametrize("path", ["/face/swap", "/face/tasks"])
@pytest.mark.parametrize("method", METHODS)
def test_a_wrong_method_is_said_to_be_one(caller: Caller, path: str, method: str) -> None:
    answer = caller.client.generic(method, path)
    assert answer.status_code == 405
    assert answer["allow"] == "POST"
    if method != "HEAD":
        assert error_code(answer) == "method_not_allowed"


def test_the_description_may_only_be_got(client: Client) -> None:
    answer = client.post("/face/openapi.json")
    assert (error_code(answer), answer["allow"]) == ("method_not_allowed", "GET, HEAD")


@pytest.mark.parametrize(
    "path", ["/face", "/face/", "/face/nothing", "/face/swap/", "/face/swap/x", "/face/../face/%00"]
)
def test_an_unknown_path_is_no_api(client: Client, path: str) -> None:
    answer = client.post(path, {}, content_type="application/json")
    assert (answer.status_code, error_code(answer)) == (404, "no_api")


@pytest.mark.parametrize(
    "name", ["analyze", "beautify", "change-age", "change-gender", "cartoon", "detect-live"]
)
def test_calls_of_the_family_that_are_not_offered_say_so(client: Client, name: str) -> None:
    answer = client.post(f"/face/{name}", {}, content_type="application/json")
    assert (answer.status_code, error_code(answer)) == (400, "api_not_implemented")


@pytest.mark.parametrize(
    ("body", "payload"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"source_image_url": "\\ud800", "target_image_url": "a"}', "not JSON"),
        (b"null", "body"),
        (b"[]", "body"),
        (b"{}", "source_image_url"),
        ({**SAMPLES, "source_image_url": 5}, "source_image_url"),
        ({**SAMPLES, "source_image_url": ""}, "source_image_url"),
        ({**SAMPLES, "source_image_url": "data:\0;base64,"}, "source_image_url"),
        ({**SAMPLES, "target_image_url": None}, "target_image_url"),
        ({**SAMPLES, "target_image_url": "https://example.org/" + 4000 * "a"}, "target_image_url"),
        ({**SAMPLES, "timeout": "30"}, "timeout"),
        ({**SAMPLES, "timeout": True}, "timeout"),
        ({**SAMPLES, "timeout": 0}, "timeout"),
        ({**SAMPLES, "timeout": -1}, "timeout"),
        ({**SAMPLES, "timeout": float("nan")}, "timeout"),
        ({**SAMPLES, "timeout": float("inf")}, "timeout"),
        ({**SAMPLES, "async": "yes"}, "async"),
        ({**SAMPLES, "callback_url": "ftp://example.org/"}, "callback_url"),
        ({**SAMPLES, "callback_url": "http://127.0.0.1/"}, "callback_url"),
        ({**SAMPLES, "callback_url": ["https://example.org"]}, "callback_url"),
        ({**SAMPLES, "source_image_url": "http://[::1]/a.jpg", "async": True}, "source_image_url"),
        ({**SAMPLES, "source_image_url": "data:,hello", "async": True}, "source_image_url"),
        ({**SAMPLES, "source_image_url": "data:image/png;base64,é"}, "source_image_url"),
        ({**SAMPLES, "callback_url": INSPECTOR + "forged/"}, "callback_url"),
        ({**SAMPLES, "callback_url": INSPECTOR + 5000 * "A"}, "callback_url"),
        ({**SAMPLES, "callback_url": INSPECTOR + "1:a\0"}, "callback_url"),
    ],
)
def test_a_body_that_makes_no_sense_is_refused_with_the_name_of_the_field(
    caller: Caller, body: object, payload: str
) -> None:
    answer = caller.swap(body)
    assert (answer.status_code, error_code(answer)) == (400, "bad_request")
    assert payload in answer.json()["error"]["message"]
    assert answer["x-quota-remaining"] == "20"
    assert not Swap.objects.exists()


@pytest.mark.parametrize(
    ("body", "payload"),
    [
        ({}, "action"),
        ({"id": str(uuid.UUID(int=1))}, "action"),
        ({"id": "a", "action": "destroy"}, "action"),
        ({"action": "retrieve"}, "id"),
        ({"id": 5, "action": "retrieve"}, "id"),
        ({"ids": "a", "action": "retrieve_batch"}, "ids"),
        ({"ids": ["a"] * 101, "action": "retrieve_batch"}, "ids"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(
    caller: Caller, body: object, payload: str
) -> None:
    answer = caller.tasks(body)
    assert error_code(answer) == "bad_request"
    assert payload in answer.json()["error"]["message"]


def test_a_body_that_is_too_large_is_refused(caller: Caller, settings: Settings) -> None:
    settings.FACESWAP_API_MAX_BODY_BYTES = 1_000_000
    answer = caller.swap(b'"' + b"a" * 1_000_000)
    assert (answer.status_code, error_code(answer)) == (413, "payload_too_large")
    assert "1 MB" in answer.json()["error"]["message"]


def test_a_full_disk_is_our_fault(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tempfile.SpooledTemporaryFile", full)
    answer = caller.swap(ASYNC)
    assert (answer.status_code, error_code(answer)) == (500, "api_error")


def test_a_body_of_another_type_is_refused(caller: Caller) -> None:
    answer = caller.swap("a=b", content_type="application/x-www-form-urlencoded")
    assert error_code(answer) == "bad_request"
    assert "application/json" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 400, "no_token"),
        ({"authorization": ""}, 400, "no_token"),
        ({"authorization": "Basic YTpi"}, 401, "invalid_token"),
        ({"authorization": "Bearer"}, 401, "invalid_token"),
        ({"authorization": "Bearer fs_wrong"}, 401, "invalid_token"),
        ({"authorization": "Bearer \xff\xfe"}, 401, "invalid_token"),
    ],
)
def test_nobody_comes_in_without_a_key(
    client: Client, headers: dict[str, str], status: int, code: str
) -> None:
    answer = client.post("/face/swap", ASYNC, content_type="application/json", headers=headers)
    assert (answer.status_code, error_code(answer)) == (status, code)
    assert "x-quota-remaining" not in answer


def test_what_only_a_proxy_or_a_broken_client_sends_is_answered_in_the_shape_too(
    client: Client,
) -> None:
    wrong_host = client.post("/face/swap", headers={"host": "elsewhere.example.org"})
    assert error_code(wrong_host) == "bad_request"
    charset = client.generic(
        "POST", "/face/swap", b"{}", content_type="application/json; charset=hex"
    )
    assert error_code(charset) == "bad_request"
    endless = client.generic("POST", "/face/swap", b"{}", CONTENT_LENGTH="999999999999")
    assert error_code(endless) == "payload_too_large"


def test_an_unexpected_exception_shows_nothing_of_itself(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object) -> None:
        raise RuntimeError("/srv/secret/place")

    monkeypatch.setattr("swaps.api.views.request_by_api", breaks)
    answer = caller.swap()
    assert (answer.status_code, error_code(answer)) == (500, "api_error")
    assert "secret" not in answer.content.decode()
    assert answer["x-ratelimit-limit"] == "300"


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    ["source_image_url", "target_image_url", "timeout", "callback_url", "async", "id", "ids"]
)


@hypothesis_settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.binary(max_size=60) | st.dictionaries(FIELDS, JSON) | JSON,
    path=st.sampled_from(["/face/swap", "/face/tasks"]),
)
def test_whatever_is_sent_is_answered_in_the_shape(caller: Caller, body: Any, path: str) -> None:
    answer = caller.post(path, body)
    assert error_code(answer) in {"bad_request", "not_found", "too_many_requests"}


def test_every_code_of_the_contract_has_a_class_and_a_meaning() -> None:
    assert {error.code for error in MEANINGS} == set(errors.SwapError.by_code)
    for code, error in errors.SwapError.by_code.items():
        assert re.fullmatch(r"[a-z_]+", code)
        assert 400 <= error.status < 600


def test_a_key_is_never_stored_and_hardly_to_be_guessed(caller: Caller) -> None:
    row = ApiKey.objects.values().get(pk=caller.key.pk)
    assert caller.token not in str(row)
    assert len(caller.token) >= 40
    assert caller.token.startswith(row["prefix"])
