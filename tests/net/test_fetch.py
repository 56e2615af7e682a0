"""What is asked of a stranger, what comes back, and when it is asked a second time."""

import logging
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from pytest_django import Settings

from swaps import net
from swaps.net import BadResponse, NetError, NotAllowed, NotReached
from swaps.net.deadline import Deadline
from swaps.net.errors import BadUrl
from tests.net.strangers import CHUNKED, LOCAL, OK, SHORT, SLACK, Resolver, Sentinels, fetch
from tests.net_servers import (
    Peer,
    answer,
    full_port,
    says,
    serving,
)

# --- What is asked, and what comes back -----------------------------------------------------------


def test_a_picture_is_fetched() -> None:
    with serving(says(answer(b"picture"))) as server:
        assert fetch(server.port, "/a?q=1&r=%2F#never-sent") == b"picture"
    head = server.requests[0].decode().lower()
    assert head.startswith("get /a?q=1&r=%2f http/1.1\r\n")
    assert f"\r\nhost: start.test:{server.port}\r\n" in head
    assert "\r\naccept-encoding: identity\r\n" in head
    assert "\r\nuser-agent: faceswap-site\r\n" in head
    assert "never-sent" not in head
    assert "cookie" not in head


def test_what_is_not_ascii_is_encoded() -> None:
    with serving(says(answer())) as server:
        fetch(server.port, '/ü%c3%bc?ß="')
    assert server.requests[0].startswith(b"GET /%C3%BC%c3%bc?%C3%9F=%22 HTTP/1.1\r\n")


@pytest.mark.parametrize(
    "path",
    [
        "/a%2fb%2Fc%3f",
        "/%7ea/~a/%41",
        "/a/../b/./c//d",
        "/%2e%2e/a",
        "/100%/%zz?%",
        "/a?b=%2f&c=a+b%20c&d",
        "/a?",
        "/?a=/../b",
        "/a;b=c/!$&'()*+,=:@",
    ],
)
def test_a_path_is_sent_as_it_came(path: str) -> None:
    """Who signed a URL signed it as it is written. A redirect's is no other matter."""
    leads_on = answer(status=302, head=f"Location: {path}\r\n")
    with serving(says(leads_on, answer(b"picture"))) as server:
        assert fetch(server.port, path) == b"picture"
    sent = [request.split(b"\r\n")[0].decode() for request in server.requests]
    assert sent == [f"GET {path} HTTP/1.1"] * 2


@pytest.mark.parametrize(("end", "path"), [("", "/"), ("?a=b", "/?a=b"), ("#a", "/")])
def test_a_url_without_a_path_asks_for_the_root(end: str, path: str) -> None:
    with serving(says(answer())) as server:
        fetch(server.port, end)
    assert server.requests[0].startswith(f"GET {path} HTTP/1.1\r\n".encode())


def test_the_environment_has_no_say(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sentinels: Sentinels
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine start.test login alice password secret")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{sentinels.port}")
    seen = sentinels.seen
    with serving(says(answer(b"picture"))) as server:
        assert fetch(server.port) == b"picture"
    assert b"authorization" not in server.requests[0].lower()
    assert sentinels.seen == seen


def test_cookies_and_connections_are_not_kept() -> None:
    """The redirect sets one and leads back to the same server."""
    first = answer(status=302, head="Location: /next\r\nSet-Cookie: a=b\r\n")
    with serving(says(first, answer())) as server:
        fetch(server.port)
        fetch(server.port)
    assert server.seen == 3
    assert all(b"cookie" not in request.lower() for request in server.requests)


def test_the_body_may_come_without_a_length_and_in_chunks() -> None:
    bodies = [
        b"HTTP/1.0 200 OK\r\n\r\npicture",
        OK + b"\r\npicture",
        CHUNKED + b"4;x=y\r\npict\r\n3\r\nure\r\n0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" + answer(b"picture"),
    ]
    with serving(says(*bodies)) as server:
        assert {fetch(server.port) for _ in bodies} == {b"picture"}


def test_ipv6_is_spoken(settings: Settings) -> None:
    try:
        server = serving(says(answer(b"picture")), at="::1")
    except OSError:
        pytest.skip("SKIPPED: IPv6")
    settings.FACESWAP_FETCH_ALLOW = [f"[::1]:{server.port}"]
    with server:
        assert net.fetch(f"http://[0::1]:{server.port}/", max_bytes=100) == b"picture"
    assert f"\r\nHost: [::1]:{server.port}\r\n".encode() in server.requests[0]


def test_of_several_addresses_the_first_that_answers_is_taken() -> None:
    with serving(says(answer(b"picture")), at="127.0.0.3") as server:
        addresses = Resolver(["127.0.0.2", "127.0.0.3"])
        assert fetch(server.port, resolve=addresses) == b"picture"
    assert addresses.asked == ["start.test"]


def test_an_address_that_hangs_leaves_time_for_the_others() -> None:
    with full_port() as port, serving(says(answer(b"picture")), at="127.0.0.2", port=port):
        assert fetch(port, seconds=2 * SHORT, resolve=Resolver([LOCAL, "127.0.0.2"])) == b"picture"


def test_calls_side_by_side_do_not_mix() -> None:
    with ExitStack() as stack, ThreadPoolExecutor(16) as pool:
        bodies = [str(number).encode() for number in range(16)]
        servers = [stack.enter_context(serving(says(answer(body)))) for body in bodies]
        assert list(pool.map(fetch, [server.port for server in servers])) == bodies


# --- A second try ---------------------------------------------------------------------------------


@pytest.mark.parametrize("first", [b"", b"garbage", *(answer(status=s) for s in (502, 503, 504))])
def test_what_may_pass_is_tried_again(first: bytes) -> None:
    with serving(says(first, answer(b"picture"))) as server:
        assert fetch(server.port) == b"picture"
    assert server.seen == 2


def test_it_is_tried_again_only_once() -> None:
    with serving(says(answer(status=503))) as server, pytest.raises(BadResponse) as refusal:
        fetch(server.port)
    assert refusal.value.status == 503
    assert server.seen == 2


def test_a_host_that_refuses_is_asked_again() -> None:
    resolve = Resolver([LOCAL])
    with socket.socket() as deaf:  # bound, so that the port stays free
        deaf.bind((LOCAL, 0))
        with pytest.raises(NotReached, match="cannot be connected to"):
            fetch(deaf.getsockname()[1], resolve=resolve)
    assert len(resolve.asked) == 2


def test_a_name_that_is_not_found_is_said_so() -> None:
    def resolve(_host: str) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    with pytest.raises(NotReached, match="was not found"):
        fetch(80, resolve=resolve)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 429, 500, 501])
def test_other_statuses_are_final(status: int) -> None:
    with (
        serving(says(answer(b"no", status=status))) as server,
        pytest.raises(BadResponse) as refusal,
    ):
        fetch(server.port)
    assert refusal.value.status == status
    assert server.seen == 1


def test_no_second_try_after_the_deadline() -> None:
    def behave(peer: Peer) -> None:
        peer.wait(0.8 * SHORT)
        peer.send(answer(status=503))

    with serving(behave) as server, pytest.raises(NetError):
        fetch(server.port, seconds=SHORT)
    assert server.seen == 1


def test_no_pause_outlasts_the_deadline() -> None:
    begun = time.monotonic()
    with Deadline(SHORT) as deadline:
        assert not deadline.sleep(30)
        assert deadline.sleep(0.01)
    assert time.monotonic() - begun < SLACK


# --- What is said ---------------------------------------------------------------------------------


def test_neither_messages_nor_logs_tell_secrets(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    odd = answer(b"x", status=404, head="no colon here\r\n")
    failures = []
    with serving(says(odd, b"", b"", odd, answer(status=302, head="Location: //[\r\n"))) as server:
        urls = [f"http://start.test:{server.port}/secret?secret=secret#secret"] * 4
        urls += ["http://alice:secret@start.test/", "http://start.test:99999/?secret", "secret"]
        for url in urls:
            with pytest.raises(NetError) as error:
                net.fetch(url, max_bytes=100, resolve=Resolver([LOCAL]))
            failures.append(error.value)
    assert {type(failure) for failure in failures} == {BadResponse, NotReached, NotAllowed, BadUrl}
    for failure in failures:
        assert failure.message == str(failure)
        assert "secret" not in failure.message
        assert failure.message[0].isupper()
        assert failure.message.count(". ") == 1, "what is wrong, and what to do"
    assert b"/secret?secret=secret" in server.requests[0]
    assert "Failed to parse headers" in caplog.text
    assert "secret" not in caplog.text
