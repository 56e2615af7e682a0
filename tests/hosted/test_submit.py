"""``submit``: what is sent, and what becomes of each answer."""

import gzip
import socket
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from swaps import errors, links
from swaps.hosted import client, transport
from swaps.net.deadline import Deadline
from swaps.net.errors import NotReached
from swaps.providers.base import (
    Accepted,
    Answered,
    RemoteRequest,
    ResponseLost,
    RetryLater,
)
from tests.hosted.provider_calls import (
    HTML,
    OK,
    REQUEST,
    SHORT,
    SLACK,
    WHOLE,
    ask,
    error,
    problem_of,
    replies,
    submit,
)
from tests.net_servers import Behaviour as Misbehaviour
from tests.net_servers import answer, certificate_for, drips, full_port, says, serving, silent
from tests.provider_server import (
    KEY,
    Behaviour,
    Reply,
    running_provider,
)

pytestmark = pytest.mark.usefixtures("the_key_is_good")


# --- What is sent ---------------------------------------------------------------------------------


def test_a_swap_is_asked_for_as_the_contract_says(settings: Settings) -> None:
    request = RemoteRequest(
        source_image_url="https://site.example/source.jpg",
        target_image_url="https://site.example/target.jpg",
        callback_url="http://127.0.0.1:9/callbacks/a/",
        idempotency_key="7d1c.1",
    )
    with running_provider() as provider:
        settings.FACESWAP_HOSTED_URL = provider.url
        assert client.submit(request) == Accepted(task_id=provider.task.id)
    (call,) = provider.swaps
    assert call.payload == {
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
    with running_provider() as provider:
        submit(settings, provider)
    content = provider.swaps[0].payload
    assert content["source_image_url"] == REQUEST.target_image_url
    assert content["target_image_url"] == REQUEST.source_image_url


def test_a_task_is_asked_for_as_the_contract_says(settings: Settings) -> None:
    with running_provider() as provider:
        task_id = submit(settings, provider).task_id
        ask(settings, provider, task_id)
    (call,) = provider.task_calls
    assert call.payload == {"id": task_id, "action": "retrieve"}
    assert call.headers["authorization"] == f"Bearer {KEY}"


def test_connections_are_kept(settings: Settings) -> None:
    with running_provider() as provider:
        task_id = submit(settings, provider).task_id
        ask(settings, provider, task_id)
        submit(settings, provider)
    assert {call.connection for call in provider.calls} == {0}


def test_a_connection_that_the_provider_has_closed_meanwhile_is_replaced(
    settings: Settings,
) -> None:
    with running_provider(Behaviour(reply=Reply(closes=True))) as provider:
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

    with running_provider() as provider, ThreadPoolExecutor(12) as pool:
        settings.FACESWAP_HOSTED_URL = provider.url
        taken = dict(pool.map(submit_number, range(60)))
    assert {task.id: task.request["source_image_url"] for task in provider.tasks.values()} == taken
    assert len({call.connection for call in provider.calls}) <= 12


def test_cookies_are_not_kept(settings: Settings) -> None:
    with running_provider(Behaviour(reply=Reply(headers={"Set-Cookie": "a=b"}))) as provider:
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
    with running_provider() as provider:
        submit(settings, provider)
    assert provider.swaps[0].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_the_key_is_not_carried_on_by_a_redirect(status: int, settings: Settings) -> None:
    with running_provider() as elsewhere:
        place = {"Location": f"{elsewhere.url}/face/swap"}
        reply = Reply(status=status, headers=place, body=HTML)
        behaviour = Behaviour(starts=False, reply=reply)
        with running_provider(behaviour) as provider, pytest.raises(errors.ApiError) as refusal:
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
    with running_provider(replies(body, status=status)) as provider:
        assert submit(settings, provider) == Accepted(task_id="a-task")


def test_a_result_in_the_answer_is_taken_although_a_callback_was_asked_for(
    settings: Settings,
) -> None:
    with running_provider(Behaviour(is_synchronous=True)) as provider:
        outcome = submit(settings, provider)
    url = f"{provider.url}/results/{provider.task.id}.jpg"
    assert outcome == Answered(task_id=provider.task.id, image_url=url)


@pytest.mark.parametrize("status", [504, 524])
def test_a_gateway_that_waited_in_vain_names_the_task_that_goes_on(
    status: int, settings: Settings
) -> None:
    body = {**error("timeout"), "task_id": "a-task"}
    with running_provider(replies(body, status=status)) as provider:
        assert submit(settings, provider) == Accepted(task_id="a-task")


def test_the_same_idempotency_key_gets_the_same_task(settings: Settings) -> None:
    """After an answer that was lost."""
    lost = Behaviour(reply=Reply(cut_at=0))
    with running_provider([lost, Behaviour()]) as provider:
        with pytest.raises(ResponseLost):
            submit(settings, provider)
        assert submit(settings, provider) == Accepted(task_id=provider.task.id)


def test_an_answer_may_be_packed_although_nobody_asked_for_that(settings: Settings) -> None:
    packed = Reply(body=gzip.compress(WHOLE), headers={"Content-Encoding": "gzip"})
    with running_provider(Behaviour(reply=packed)) as provider:
        assert submit(settings, provider) == Accepted(task_id="a-task")


@pytest.mark.parametrize("encoding", ["utf-8", "none", "binary"])
def test_an_answer_may_name_as_its_encoding_what_is_none(settings: Settings, encoding: str) -> None:
    named = Reply(body=WHOLE, headers={"Content-Encoding": encoding})
    with running_provider(Behaviour(reply=named)) as provider:
        assert submit(settings, provider) == Accepted(task_id="a-task")


def test_an_answer_that_comes_as_time_ends_is_late_although_nothing_was_cut_off_yet() -> None:
    with Deadline(60) as deadline:
        problem = transport._problem_text(NotReached("host.late", seconds=60), deadline)
    assert problem == {"code": "provider.late", "seconds": 60}


# --- Nothing was sent -----------------------------------------------------------------------------


def test_a_provider_that_refuses_connections_has_seen_nothing(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(RetryLater, match="connection refused"):
        submit(settings, f"http://127.0.0.1:{port}")


def test_a_provider_without_an_address_has_seen_nothing(settings: Settings) -> None:
    with pytest.raises(RetryLater, match="host not found"):
        submit(settings, "http://nowhere.invalid")


def test_a_provider_at_which_connecting_hangs_has_seen_nothing(settings: Settings) -> None:
    settings.FACESWAP_HOSTED_TIMEOUT_SECONDS = SHORT
    with full_port() as port, pytest.raises(RetryLater, match="no connection in time"):
        submit(settings, f"http://127.0.0.1:{port}")


@pytest.mark.parametrize("url", ["", "api.example", "ftp://api.example", "http://[", "http://"])
def test_a_setting_that_is_no_address_is_said_to_staff(url: str, settings: Settings) -> None:
    with pytest.raises(RetryLater, match="FACESWAP_HOSTED_URL"):
        submit(settings, url)


def test_a_certificate_that_nobody_trusts_gets_no_key(settings: Settings, tmp_path: Path) -> None:
    _, tls = certificate_for(tmp_path, [])
    with serving(says(answer()), tls=tls) as server, pytest.raises(RetryLater, match="TLS"):
        submit(settings, f"https://127.0.0.1:{server.port}")
    assert server.requests == []


@pytest.mark.parametrize("behave", [says(answer(b"plain")), silent])
def test_what_is_not_tls_gets_no_key(behave: Misbehaviour, settings: Settings) -> None:
    settings.FACESWAP_HOSTED_TIMEOUT_SECONDS = SHORT
    with serving(behave) as server, pytest.raises(RetryLater):
        submit(settings, f"https://127.0.0.1:{server.port}")
    assert all(KEY.encode() not in request for request in server.requests)


@pytest.fixture
def trusted(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[ssl.SSLContext]:
    """The server's side of TLS that the site trusts, for start.test, which is here."""
    certificate, tls = certificate_for(tmp_path, [])
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
    with (
        serving(behave, tls=trusted) as server,
        pytest.raises(ResponseLost, match="no whole answer"),
    ):
        submit(settings, f"https://start.test:{server.port}")
    assert time.monotonic() - begun < SLACK
