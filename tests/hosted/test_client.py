"""``submit`` and ``ask`` against a provider that answers, refuses and misbehaves in every way."""

import contextlib
import datetime
import email.utils
import gzip
import json
import logging
import socket
import ssl
import struct
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from swaps import errors, links
from swaps.hosted import client, transport
from swaps.providers.base import (
    NO_FACE,
    Accepted,
    Answered,
    AnswerLost,
    NotNow,
    ProviderTrouble,
    RemoteRequest,
)
from tests.net_servers import Behaviour as Misbehaviour
from tests.net_servers import Peer, answer, certified, drips, full, says, serving, silent
from tests.provider_server import (
    KEY,
    Behaviour,
    Offer,
    Provider,
    Reply,
    fails,
    providing,
    refuses,
)

SHORT = 0.3  # seconds that a provider gets when it is meant to run out of them
SLACK = 20.0  # seconds after which it is certain that it was not cut short in time
REQUEST = RemoteRequest(
    source_image_url="https://site.example/source.jpg?signed=1",
    target_image_url="https://site.example/target.jpg?signed=2",
    callback_url="",
    idempotency_key="7d1c.1",
)
HTML = b"<!doctype html><title>Bad gateway</title>"


@pytest.fixture(autouse=True)
def _the_key_is_good(settings: Settings) -> None:
    settings.FACESWAP_API_KEY = KEY
    settings.FACESWAP_HOSTED_TIMEOUT_SECONDS = 10


def submit(settings: Settings, to: Provider | str) -> Accepted | Answered:
    settings.FACESWAP_API_URL = to if isinstance(to, str) else to.url
    return client.submit(REQUEST)


def ask(settings: Settings, to: Provider | str, task_id: str = "a-task") -> Accepted | Answered:
    settings.FACESWAP_API_URL = to if isinstance(to, str) else to.url
    return client.ask(task_id)


def replies(body: bytes | object, *, status: int = 200, retry_after: str = "") -> Behaviour:
    """Begins nothing, and answers so; what is not bytes goes as JSON."""
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Retry-After": retry_after} if retry_after else {}
    return Behaviour(starts=False, reply=Reply(status=status, body=body, headers=headers))


def error(code: str, message: str = "No.") -> dict[str, object]:
    return {"success": False, "error": {"code": code, "message": message}}


@contextlib.contextmanager
def says_of_tasks(body: object, status: int = 200) -> Iterator[str]:
    """The URL of a provider that says this of every task."""
    with serving(says(answer(json.dumps(body).encode(), status=status))) as server:
        yield f"http://127.0.0.1:{server.port}"


def problem_of(raised: BaseException) -> str:
    """What staff get to see."""
    trouble = raised if isinstance(raised, ProviderTrouble) else raised.__cause__
    assert isinstance(trouble, ProviderTrouble)
    return trouble.problem


# --- What is sent ---------------------------------------------------------------------------------


def test_a_swap_is_asked_for_as_the_contract_says(settings: Settings) -> None:
    request = RemoteRequest(
        source_image_url="https://site.example/source.jpg",
        target_image_url="https://site.example/target.jpg",
        callback_url="http://127.0.0.1:9/callbacks/a/",
        idempotency_key="7d1c.1",
    )
    with providing() as provider:
        settings.FACESWAP_API_URL = provider.url
        assert client.submit(request) == Accepted(task_id=provider.task.id)
    (call,) = provider.swaps
    assert call.said == {
        "source_image_url": request.source_image_url,
        "target_image_url": request.target_image_url,
        "callback_url": request.callback_url,
    }
    expected = {
        "authorization": f"Bearer {KEY}",
        "content-type": "application/json",
        "accept": "application/json",
        "idempotency-key": "7d1c.1",
    }
    assert expected.items() <= call.headers.items()


def test_for_a_provider_that_reads_them_so_the_two_pictures_are_exchanged(
    settings: Settings,
) -> None:
    settings.FACESWAP_HOSTED_EXCHANGE = True
    with providing() as provider:
        submit(settings, provider)
    said = provider.swaps[0].said
    assert said["source_image_url"] == REQUEST.target_image_url
    assert said["target_image_url"] == REQUEST.source_image_url


def test_a_task_is_asked_for_as_the_contract_says(settings: Settings) -> None:
    with providing() as provider:
        task_id = submit(settings, provider).task_id
        ask(settings, provider, task_id)
    (call,) = provider.questions
    assert call.said == {"id": task_id, "action": "retrieve"}
    assert call.headers["authorization"] == f"Bearer {KEY}"


def test_connections_are_kept(settings: Settings) -> None:
    with providing() as provider:
        task_id = submit(settings, provider).task_id
        ask(settings, provider, task_id)
        submit(settings, provider)
    assert {call.connection for call in provider.calls} == {0}


def test_a_connection_that_the_provider_has_closed_meanwhile_is_replaced(
    settings: Settings,
) -> None:
    with providing(Behaviour(reply=Reply(closes=True))) as provider:
        submit(settings, provider)
        time.sleep(0.1)  # its end has to arrive
        submit(settings, provider)
    assert [call.connection for call in provider.swaps] == [0, 1]


def test_calls_side_by_side_do_not_mix(settings: Settings) -> None:
    def submit_number(number: int) -> tuple[str, str]:
        url = f"https://site.example/{number}.jpg"
        request = RemoteRequest(
            source_image_url=url,
            target_image_url=url,
            callback_url="",
            idempotency_key=str(number),
        )
        return client.submit(request).task_id, url

    with providing() as provider, ThreadPoolExecutor(12) as pool:
        settings.FACESWAP_API_URL = provider.url
        taken = dict(pool.map(submit_number, range(60)))
    assert {task.id: task.request["source_image_url"] for task in provider.tasks.values()} == taken
    assert len({call.connection for call in provider.calls}) <= 12


def test_cookies_are_not_kept(settings: Settings) -> None:
    with providing(Behaviour(reply=Reply(headers={"Set-Cookie": "a=b"}))) as provider:
        submit(settings, provider)
        submit(settings, provider)
    assert all("cookie" not in call.headers for call in provider.calls)


def test_the_environment_has_no_say(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login alice password secret")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with providing() as provider:
        submit(settings, provider)
    assert provider.swaps[0].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_the_key_is_not_carried_on_by_a_redirect(status: int, settings: Settings) -> None:
    with providing() as elsewhere:
        place = {"Location": f"{elsewhere.url}/face/swap"}
        reply = Reply(status=status, headers=place, body=HTML)
        behaviour = Behaviour(starts=False, reply=reply)
        with providing(behaviour) as provider, pytest.raises(errors.ApiError) as refusal:
            submit(settings, provider)
    assert elsewhere.calls == []
    assert "operator" in refusal.value.message
    assert problem_of(refusal.value) == str(status)


def test_a_photo_on_disk_gets_a_url_of_the_site(settings: Settings) -> None:
    settings.SITE_URL = "https://site.example"
    url = client.picture_url("swaps/7d1c/source.jpg")
    assert url.startswith("https://site.example/files/")
    assert links.key_of_own_url(url) == "swaps/7d1c/source.jpg"


# --- Answers --------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201, 202])
@pytest.mark.parametrize(
    "body",
    [
        {"success": True, "task_id": "a-task", "trace_id": "b"},
        {"task_id": "a-task"},
        {"id": "a-task", "status": "queued", "more": [{"of": "it"}]},
        {"success": "true", "task_id": "a-task", "error": None},
        {"task_id": "a-task", "error": [], "image_url": ""},
        b'\xef\xbb\xbf {"task_id": "a-task"}\r\n',
    ],
    ids=ascii,
)
def test_a_task_that_was_taken_on_is_accepted(
    status: int, body: object, settings: Settings
) -> None:
    with providing(replies(body, status=status)) as provider:
        assert submit(settings, provider) == Accepted(task_id="a-task")


def test_a_result_in_the_answer_is_taken_although_a_callback_was_asked_for(
    settings: Settings,
) -> None:
    with providing(Behaviour(is_synchronous=True)) as provider:
        outcome = submit(settings, provider)
    url = f"{provider.url}/results/{provider.task.id}.jpg"
    assert outcome == Answered(task_id=provider.task.id, image_url=url)


@pytest.mark.parametrize("status", [504, 524])
def test_a_gateway_that_waited_in_vain_names_the_task_that_goes_on(
    status: int, settings: Settings
) -> None:
    body = {**error("timeout"), "task_id": "a-task"}
    with providing(replies(body, status=status)) as provider:
        assert submit(settings, provider) == Accepted(task_id="a-task")


def test_the_same_idempotency_key_gets_the_same_task(settings: Settings) -> None:
    """After an answer that was lost."""
    lost = Behaviour(reply=Reply(cut_at=0))
    with providing([lost, Behaviour()]) as provider:
        with pytest.raises(AnswerLost):
            submit(settings, provider)
        assert submit(settings, provider) == Accepted(task_id=provider.task.id)


def test_an_answer_may_be_packed_although_nobody_asked_for_that(settings: Settings) -> None:
    packed = Reply(body=gzip.compress(WHOLE), headers={"Content-Encoding": "gzip"})
    with providing(Behaviour(reply=packed)) as provider:
        assert submit(settings, provider) == Accepted(task_id="a-task")


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
    with providing(behaviour) as provider, pytest.raises(kind) as refusal:
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
    with providing(replies(body, status=status)) as provider, pytest.raises(errors.NoFace):
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
    with providing(replies(body, status=status)) as provider, pytest.raises(kind) as refusal:
        submit(settings, provider)
    assert word in refusal.value.message
    assert problem_of(refusal.value).startswith(str(status))


def test_a_key_that_is_not_taken_is_the_operators_matter(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.FACESWAP_API_KEY = "another-key"
    with providing() as provider, pytest.raises(errors.ApiError) as refusal:
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
    with providing(busy) as provider, pytest.raises(NotNow) as trouble:
        submit(settings, provider)
    assert trouble.value.is_busy
    assert trouble.value.retry_after == 17
    assert trouble.value.problem.startswith("429")


@pytest.mark.parametrize("status", [200, 400, 403])
@pytest.mark.parametrize("code", ["too_many_requests", "rate_limited"])
def test_it_is_busy_whatever_the_status(code: str, status: int, settings: Settings) -> None:
    with providing(refuses(status, code)) as provider, pytest.raises(NotNow) as trouble:
        submit(settings, provider)
    assert trouble.value.is_busy


@pytest.mark.parametrize("body", [error("api_error", "Away."), HTML, b"", b"[1]"], ids=ascii)
@pytest.mark.parametrize("status", [408, 425, 500, 501, 502, 503, 507, 520, 599])
def test_a_provider_that_is_down_has_begun_nothing(
    status: int, body: object, settings: Settings
) -> None:
    down = replies(body, status=status, retry_after="2")
    with providing(down) as provider, pytest.raises(NotNow) as trouble:
        submit(settings, provider)
    assert not trouble.value.is_busy
    assert trouble.value.retry_after == 2
    assert trouble.value.problem.startswith(str(status))


def test_a_refusal_is_one_however_its_body_ends(settings: Settings) -> None:
    settings.FACESWAP_HOSTED_TIMEOUT_SECONDS = SHORT
    for behave in (
        says(b"HTTP/1.1 503 Away\r\nContent-Length: 100\r\n\r\n{"),
        drips(b"HTTP/1.1 503 Away\r\nContent-Length: 100\r\n\r\n", b" "),
        says(b"HTTP/1.1 503 Away\r\nContent-Length: 70000\r\n\r\n" + b" " * 70_000),
    ):
        with serving(behave) as server, pytest.raises(NotNow) as trouble:
            submit(settings, f"http://127.0.0.1:{server.port}")
        assert trouble.value.problem == "503"


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
    with providing(busy) as provider, pytest.raises(NotNow) as trouble:
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
    with providing(busy) as provider, pytest.raises(NotNow) as trouble:
        submit(settings, provider)
    assert trouble.value.retry_after in {None, 3600}


# --- Nothing was sent -----------------------------------------------------------------------------


def test_a_provider_that_refuses_connections_has_seen_nothing(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(NotNow, match="connection refused"):
        submit(settings, f"http://127.0.0.1:{port}")


def test_a_provider_without_an_address_has_seen_nothing(settings: Settings) -> None:
    with pytest.raises(NotNow, match="host not found"):
        submit(settings, "http://nowhere.invalid")


def test_a_provider_at_which_connecting_hangs_has_seen_nothing(settings: Settings) -> None:
    settings.FACESWAP_HOSTED_TIMEOUT_SECONDS = SHORT
    with full() as port, pytest.raises(NotNow, match="no connection in time"):
        submit(settings, f"http://127.0.0.1:{port}")


@pytest.mark.parametrize("url", ["", "api.example", "ftp://api.example", "http://[", "http://"])
def test_a_setting_that_is_no_address_is_said_to_staff(url: str, settings: Settings) -> None:
    with pytest.raises(NotNow, match="FACESWAP_API_URL"):
        submit(settings, url)


def test_a_certificate_that_nobody_trusts_gets_no_key(settings: Settings, tmp_path: Path) -> None:
    _, tls = certified(tmp_path, [])
    with serving(says(answer()), tls=tls) as server, pytest.raises(NotNow, match="TLS"):
        submit(settings, f"https://127.0.0.1:{server.port}")
    assert server.requests == []


@pytest.mark.parametrize("behave", [says(answer(b"plain")), silent])
def test_what_is_not_tls_gets_no_key(behave: Misbehaviour, settings: Settings) -> None:
    settings.FACESWAP_HOSTED_TIMEOUT_SECONDS = SHORT
    with serving(behave) as server, pytest.raises(NotNow):
        submit(settings, f"https://127.0.0.1:{server.port}")
    assert all(KEY.encode() not in request for request in server.requests)


@pytest.fixture
def trusted(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[ssl.SSLContext]:
    """The server's side of TLS that the site trusts, for start.test, which is here."""
    certificate, tls = certified(tmp_path, [])
    look_up = socket.getaddrinfo

    def find(host: str, *rest: Any, **more: Any) -> Any:
        return look_up("127.0.0.1" if host == "start.test" else host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", find)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    transport._adapter.cache_clear()
    yield tls
    transport._adapter.cache_clear()


def test_a_provider_is_called_over_tls(trusted: ssl.SSLContext, settings: Settings) -> None:
    with serving(says(answer(WHOLE)), tls=trusted) as server:
        assert submit(settings, f"https://start.test:{server.port}") == Accepted(task_id="a-task")
    assert f"authorization: bearer {KEY}" in server.requests[0].decode().lower()


def test_what_drips_over_tls_is_cut_as_well(trusted: ssl.SSLContext, settings: Settings) -> None:
    settings.FACESWAP_HOSTED_TIMEOUT_SECONDS = SHORT
    begun = time.monotonic()
    behave = drips(OK + b"\r\n", b" ")
    with serving(behave, tls=trusted) as server, pytest.raises(AnswerLost, match="no whole answer"):
        submit(settings, f"https://start.test:{server.port}")
    assert time.monotonic() - begun < SLACK


# --- The answer is lost ---------------------------------------------------------------------------


def resets(peer: Peer) -> None:
    """Reads, and is gone: an RST instead of a FIN."""
    connection = peer._connection
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def hangs(peer: Peer) -> None:
    peer.wait()


OK = b"HTTP/1.1 200 OK\r\n"
WHOLE = b'{"task_id": "a-task"}'
BOMB = gzip.compress(WHOLE + b" " * 20_000_000, 1)
MISBEHAVIOURS: dict[str, Misbehaviour] = {
    "hangs up": says(b""),
    "resets": resets,
    "hangs": hangs,
    "breaks off in the status": says(b"HTTP/1.1 20"),
    "breaks off in the head": says(OK + b"Content-Le"),
    "breaks off in the body": says(OK + b"Content-Length: 21\r\n\r\n" + WHOLE[:-1]),
    "breaks off in a chunk": says(OK + b"Transfer-Encoding: chunked\r\n\r\nff\r\n" + WHOLE),
    "sends broken chunks": says(OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + WHOLE),
    "drips its status": drips(b"HTTP/1.1 2", b"0"),
    "drips its head": drips(OK, b"A: b\r\n"),
    "drips its body": drips(OK + b"Content-Length: 1000\r\n\r\n", b" "),
    "drips without an end": drips(OK + b"\r\n" + WHOLE, b" "),
    "talks without an end": drips(OK + b"\r\n", b" " * 10_000, pause=0),
    "sends too long a body": says(answer(WHOLE + b" " * 70_000)),
    "sends too long a head": says(OK + b"A: " + b"b" * 70_000 + b"\r\n\r\n"),
    "sends too many headers": says(OK + b"A: b\r\n" * 200 + b"\r\n"),
    "is not HTTP": says(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "says it is packed": says(answer(WHOLE, head="Content-Encoding: gzip\r\n")),
    "unpacks to far more": says(answer(BOMB, head="Content-Encoding: gzip\r\n")),
    "is empty": says(answer()),
    "is no content": says(answer(status=204)),
    "is a page": says(answer(HTML)),
    "is half of it": says(answer(WHOLE[:-1])),
    "is not UTF-8": says(answer(WHOLE.replace(b"task", b"\xff"))),
    "is null": says(answer(b"null")),
    "is a list": says(answer(b'[{"task_id": "a-task"}]')),
    "is a success without a task": says(answer(b'{"success": true}')),
    "has an empty task_id": says(answer(b'{"task_id": ""}')),
    "has a number for a task_id": says(answer(b'{"task_id": 7}')),
    "has an endless task_id": says(answer(b'{"task_id": "%s"}' % (b"a" * 201))),
    "has NUL in its task_id": says(answer(b'{"task_id": "a\\u0000"}')),
    "has half a character in its task_id": says(answer(b'{"task_id": "\\ud800"}')),
    "is nested without an end": says(answer(b"[" * 60_000)),
    "is 504 without a task": says(answer(json.dumps(error("timeout")).encode(), status=504)),
    "is 504 of a gateway": says(answer(HTML, status=504)),
    "is 504 that breaks off": says(b"HTTP/1.1 504 Late\r\nContent-Length: 9\r\n\r\n{"),
    "is 524 of a gateway": says(answer(HTML, status=524)),
}


@pytest.mark.parametrize("how", MISBEHAVIOURS)
def test_what_may_have_begun_is_not_taken_for_a_refusal(how: str, settings: Settings) -> None:
    settings.FACESWAP_HOSTED_TIMEOUT_SECONDS = SHORT
    begun = time.monotonic()
    with serving(MISBEHAVIOURS[how]) as server, pytest.raises(AnswerLost) as trouble:
        submit(settings, f"http://127.0.0.1:{server.port}")
    assert time.monotonic() - begun < SLACK
    assert server.seen == 1
    assert trouble.value.problem
    assert KEY not in trouble.value.problem


@pytest.mark.parametrize("starts", [True, False])
def test_what_the_provider_began_cannot_be_seen_from_an_answer_that_is_lost(
    starts: bool, settings: Settings
) -> None:
    behaviour = Behaviour(starts=starts, reply=Reply(cut_at=0))
    with providing(behaviour) as provider, pytest.raises(AnswerLost):
        submit(settings, provider)
    assert len(provider.tasks) == int(starts)


def test_a_kept_connection_that_breaks_is_not_tried_again(settings: Settings) -> None:
    """The provider may have begun before it broke off."""
    with providing([Behaviour(), Behaviour(reply=Reply(cut_at=10))]) as provider:
        submit(settings, provider)
        with pytest.raises(AnswerLost):
            submit(settings, provider)
        assert len(provider.swaps) == 2
        assert {call.connection for call in provider.swaps} == {0}
        submit(settings, provider)


def test_what_drips_over_a_kept_connection_is_cut_as_well(settings: Settings) -> None:
    settings.FACESWAP_HOSTED_TIMEOUT_SECONDS = SHORT
    begun = time.monotonic()
    with providing([Behaviour(), Behaviour(reply=Reply(drip=0.1))]) as provider:
        submit(settings, provider)
        with pytest.raises(AnswerLost, match="no whole answer"):
            submit(settings, provider)
    assert {call.connection for call in provider.swaps} == {0}
    assert time.monotonic() - begun < SLACK


def test_an_answer_that_comes_in_drops_is_taken_if_it_comes_in_time(settings: Settings) -> None:
    with providing(Behaviour(reply=Reply(drip=0.001, body=WHOLE))) as provider:
        assert submit(settings, provider) == Accepted(task_id="a-task")


# --- Asking ---------------------------------------------------------------------------------------


def test_a_task_that_is_worked_on_is_accepted_still(settings: Settings) -> None:
    with providing(Behaviour(works_for=60)) as provider:
        outcome = submit(settings, provider)
        assert ask(settings, provider, outcome.task_id) == outcome


def test_a_task_that_has_ended_shows_its_picture(settings: Settings) -> None:
    with providing() as provider:
        task_id = submit(settings, provider).task_id
        provider.task.is_done.wait(60)
        url = f"{provider.url}/results/{task_id}.jpg"
        assert ask(settings, provider, task_id) == Answered(task_id=task_id, image_url=url)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("no_face", errors.NoFace),
        ("invalid_image", errors.InvalidImage),
        ("forbidden", errors.Forbidden),
        ("timeout", errors.Timeout),
        ("api_error", errors.ApiError),
        ("not_found", errors.ApiError),
    ],
)
def test_a_task_that_has_failed_says_why(
    code: str, kind: type[errors.SwapError], settings: Settings
) -> None:
    with providing(fails(code, "In target_image_url.")) as provider:
        task_id = submit(settings, provider).task_id
        provider.task.is_done.wait(60)
        with pytest.raises(kind) as failure:
            ask(settings, provider, task_id)
    assert "target_image_url" not in failure.value.message


def test_a_task_that_the_provider_has_forgotten_is_not_found(settings: Settings) -> None:
    with providing(Behaviour(is_forgotten=True)) as provider:
        task_id = submit(settings, provider).task_id
        with pytest.raises(errors.NotFound):
            ask(settings, provider, task_id)


@pytest.mark.parametrize("tasks_are", ["api_not_implemented", "no_api", "method_not_allowed"])
def test_a_provider_that_tells_nothing_of_its_tasks_is_known_by_that(
    tasks_are: Offer, settings: Settings
) -> None:
    with providing(tasks_are=tasks_are) as provider, pytest.raises(errors.ApiNotImplemented):
        ask(settings, provider)


RUNNING = [
    {"id": "a-task", "status": "processing", "request": {"image_url": "https://a.example/b.jpg"}},
    {"id": "a-task", "request": {"source_image_url": "https://a.example/b.jpg"}},
    {"id": "a-task", "response": None},
    {"id": "a-task", "response": {}, "finished_at": None},
    {"id": "a-task", "response": {"state": "Queued", "image_url": "https://a.example/b.jpg"}},
    {"task_id": "a-task", "status": "succeeding"},
]
ENDED = [
    {"id": "a-task", "response": {"image_url": "https://a.example/b.jpg"}},
    {"id": "a-task", "status": "SUCCEEDED", "image_url": "https://a.example/b.jpg"},
    {"task_id": "a-task", "success": True, "image_url": "https://a.example/b.jpg"},
    {"image_url": "https://a.example/b.jpg"},
    {
        "id": "a-row",
        "request": {"image_url": "https://a.example/wrong.jpg"},
        "response": {
            "task_id": "a-task",
            "data": [{"state": "succeeded", "image_url": "https://a.example/b.jpg"}],
        },
    },
]
FAILED = [
    {"id": "a-task", "response": {"success": False, "error": {"code": "no_face"}}},
    {"id": "a-task", "response": {"success": False, "error": "no_face"}},
    {"id": "a-task", "status": "failed", "error": {"code": "no_face"}},
    {"id": "a-task", "status": "failed", "response": {"error": ["no_face"]}},
    {"success": False, "error": {"code": "no_face"}},
]


@pytest.mark.parametrize("body", RUNNING, ids=ascii)
def test_a_task_without_a_result_is_worked_on(body: object, settings: Settings) -> None:
    with says_of_tasks(body) as url:
        assert ask(settings, url) == Accepted(task_id="a-task")


@pytest.mark.parametrize("body", ENDED, ids=ascii)
def test_a_result_is_found_wherever_it_stands(body: object, settings: Settings) -> None:
    with says_of_tasks(body) as url:
        outcome = ask(settings, url)
    assert outcome == Answered(task_id="a-task", image_url="https://a.example/b.jpg")


@pytest.mark.parametrize("body", FAILED, ids=ascii)
def test_a_failure_is_found_wherever_it_stands(body: object, settings: Settings) -> None:
    with says_of_tasks(body) as url, pytest.raises(errors.NoFace):
        ask(settings, url)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (error("not_found"), errors.NotFound),
        (error("no_api"), errors.ApiNotImplemented),
        (error("token_expired"), errors.ApiError),
        (error("rate_limited"), NotNow),
        ({"id": "another", "response": {"image_url": "https://a.example/b.jpg"}}, NotNow),
        ({"id": "another", "response": {"success": False, "error": "no_face"}}, NotNow),
        ({"id": "a-task", "status": "succeeded"}, NotNow),
        ({}, NotNow),
        ([], NotNow),
        ("no", NotNow),
        (None, NotNow),
    ],
    ids=ascii,
)
def test_an_answer_that_is_no_news_of_the_task_ends_nothing(
    body: object, kind: type[Exception], settings: Settings
) -> None:
    with says_of_tasks(body) as url, pytest.raises(kind):
        ask(settings, url)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 501, 502, 503, 504, 524])
def test_a_provider_that_is_down_may_be_asked_again(status: int, settings: Settings) -> None:
    busy = Reply(status=status, body=HTML, headers={"Retry-After": "3"})
    with providing(asked=[busy]) as provider:
        task_id = submit(settings, provider).task_id
        provider.task.is_done.wait(60)
        with pytest.raises(NotNow) as trouble:
            ask(settings, provider, task_id)
        assert trouble.value.retry_after == 3
        assert trouble.value.is_busy == (status == 429)
        assert isinstance(ask(settings, provider, task_id), Answered)


@pytest.mark.parametrize("how", [how for how in MISBEHAVIOURS if not how.startswith("is half")])
def test_whatever_breaks_while_asking_does_no_harm(how: str, settings: Settings) -> None:
    settings.FACESWAP_HOSTED_TIMEOUT_SECONDS = SHORT
    with serving(MISBEHAVIOURS[how]) as server:
        settings.FACESWAP_API_URL = f"http://127.0.0.1:{server.port}"
        with contextlib.suppress(NotNow):
            assert client.ask("a-task") == Accepted(task_id="a-task")


def test_a_provider_that_cannot_be_reached_may_be_asked_again(settings: Settings) -> None:
    with pytest.raises(NotNow, match="host not found"):
        ask(settings, "http://nowhere.invalid")


@pytest.mark.parametrize("status", [302, 401, 403])
def test_a_key_that_is_not_taken_any_more_is_the_operators_matter(
    status: int, settings: Settings
) -> None:
    with says_of_tasks({}, status) as url, pytest.raises(errors.ApiError, match="operator"):
        ask(settings, url)


# --- Errors in our words --------------------------------------------------------------------------


@pytest.mark.parametrize("code", [*errors.SwapError.by_code, "rate_limited", "", "no such code"])
def test_every_code_of_a_provider_is_an_error_of_ours(code: str) -> None:
    error = client.error_of(code, "secret words about image_url https://a.example/?k=1")
    kinds = {
        "no_face": errors.NoFace,
        "invalid_image": errors.InvalidImage,
        "payload_too_large": errors.InvalidImage,
        "forbidden": errors.Forbidden,
        "timeout": errors.Timeout,
    }
    assert type(error) is kinds.get(code, errors.ApiError)
    assert error.message[0].isupper()
    assert error.message.endswith(".")
    assert "secret" not in error.message
    assert "example" not in error.message


@pytest.mark.parametrize(
    ("message", "image"),
    [
        ("No face found in source_image_url.", "source"),
        ("No face found in target_image_url", "target"),
        ("SOURCE image: no face", "source"),
        ("no face in the target.", "target"),
        ("targetImage: none", ""),
        ("Neither source_image_url nor target_image_url shows a face", ""),
        ("The resource has no face; check your sources and retargeting", ""),
        ("", ""),
        ("没有检测到人脸", ""),
    ],
)
@pytest.mark.parametrize("code", ["no_face", "invalid_image", "forbidden"])
def test_the_message_tells_which_picture_is_meant(
    code: str, message: str, image: errors.ImageName, settings: Settings
) -> None:
    other: dict[str, errors.ImageName] = {"source": "target", "target": "source", "": ""}
    assert client.error_of(code, message).image == image
    settings.FACESWAP_HOSTED_EXCHANGE = True
    assert client.error_of(code, message).image == other[image]


@pytest.mark.parametrize("image", ["source", "target", ""])
def test_no_face_is_said_in_the_words_of_the_sites_own_engine(image: str) -> None:
    error = client.error_of("no_face", f"No face in {image}_image_url")
    assert error.message == NO_FACE[image]


# --- The key stays here ---------------------------------------------------------------------------

ECHOES = [
    replies(error("bad_request", f"What is {KEY}?"), status=400),
    replies(error(KEY, KEY), status=401),
    replies({"error": f"Bearer {KEY} is wrong"}, status=403),
    replies(error("api_error", f"https://x:{KEY}@a.example/?key={KEY}"), status=503),
    replies(error("rate_limited", KEY[:5] + "\0" + KEY[5:]), status=429, retry_after=KEY),
    replies({"error": KEY}, status=418),
    replies(KEY.encode()),
    replies({"task_id": "", "message": KEY}),
    replies({"task_id": "", "message": KEY}, status=504),
    Behaviour(reply=Reply(status=302, headers={"Location": f"/?key={KEY}"}), starts=False),
    Behaviour(reply=Reply(headers={"A b": KEY}, body=b"", cut_at=0)),
    Behaviour(reply=Reply(headers={"Content-Encoding": KEY}, body=b"1")),
    Behaviour(reply=Reply(headers={"Content-Length": KEY}, body=b"1", closes=True)),
    Behaviour(reply=Reply(headers={KEY: "\x00", " ": KEY}, body=b"{}")),
]


def all_said(raised: BaseException | None) -> str:
    """In all that hangs together, shown or not."""
    if raised is None:
        return ""
    said = "".join(traceback.format_exception(raised)) + repr(raised) + repr(raised.__dict__)
    return said + all_said(raised.__cause__) + all_said(raised.__context__)


@pytest.mark.parametrize("echo", ECHOES, ids=range(len(ECHOES)))
def test_a_provider_that_quotes_the_key_does_not_spread_it(
    echo: Behaviour, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with providing(echo, asked=[echo.reply]) as provider:
        for call in (submit, ask):
            with pytest.raises((errors.SwapError, ProviderTrouble)) as raised:
                call(settings, provider)
            assert KEY not in all_said(raised.value)
    assert KEY not in caplog.text


@pytest.mark.parametrize(
    "key", ["käse-1234", "ключ-1234", "a\nb: 1234", "a\r\n\r\n1234", " 1234", "\01234"]
)
def test_a_key_that_no_header_can_carry_is_in_no_error(
    key: str, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    settings.FACESWAP_API_KEY = key
    with providing() as provider, pytest.raises((errors.SwapError, NotNow)) as raised:
        submit(settings, provider)
    assert "1234" not in all_said(raised.value)
    assert "1234" not in caplog.text
    assert provider.tasks == {}
