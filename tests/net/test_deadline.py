"""Servers that are never done are left in time."""

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from swaps.net import NotReached
from tests.net.strangers import CHUNKED, LOCAL, OK, SHORT, fetch, is_over_in_time, post
from tests.net_servers import (
    Behaviour,
    Peer,
    answer,
    drips,
    full_port,
    leads_to,
    says,
    serving,
    silent,
)

NEVER_DONE: dict[str, Behaviour] = {
    "reads nothing": silent,
    "says nothing": drips(b"", b"", pause=30),
    "drips the status line": drips(b"HTTP/1.1 200 ", b"O"),
    "drips headers": drips(OK, b"x"),
    "drips header lines": drips(OK, b"x: y\r\n", pause=0.1),
    "goes on with 100 Continue": drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n", pause=0),
    "drips 100 Continue": drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "drips a body with a length": drips(OK + b"Content-Length: 9999\r\n\r\n", b"x"),
    "drips a body without a length": drips(OK + b"\r\n", b"x"),
    "stops within the body": drips(OK + b"Content-Length: 9\r\n\r\nx", b"", pause=30),
    "drips chunks": drips(CHUNKED, b"1\r\nx\r\n"),
    "drips a chunk's size": drips(CHUNKED, b"0"),
    "drips a chunk's extension": drips(CHUNKED + b"1;", b"x"),
    "drips a trailer": drips(CHUNKED + b"0\r\n", b"x: y\r\n"),
    "goes on with trailers": drips(CHUNKED + b"0\r\n", b"x: y\r\n" * 1_000, pause=0),
}


def test_a_server_that_is_never_done_is_left_in_time() -> None:
    def leave(behave: Behaviour) -> None:
        with serving(behave) as server:
            is_over_in_time(partial(fetch, server.port, seconds=SHORT))

    with ThreadPoolExecutor(len(NEVER_DONE)) as pool:  # side by side: each takes its time
        left = {name: pool.submit(leave, behave) for name, behave in NEVER_DONE.items()}
    assert {name: future.exception() for name, future in left.items()} == dict.fromkeys(left)


@pytest.mark.parametrize(
    "behave", [silent, drips(b"", b"\x16"), drips(b"\x16\x03\x03\x40\0", b"x")]
)
def test_a_tls_port_that_never_answers_is_left_in_time(behave: Behaviour) -> None:
    with serving(behave) as server:
        is_over_in_time(partial(fetch, server.port, scheme="https", seconds=SHORT))


def test_a_port_that_never_accepts_is_left_in_time() -> None:
    with full_port() as port:
        is_over_in_time(partial(fetch, port, seconds=SHORT))


def test_a_resolver_that_hangs_is_left_in_time() -> None:
    done = threading.Event()

    def resolve(_host: str) -> list[str]:
        done.wait(30)
        return [LOCAL]

    is_over_in_time(partial(fetch, 80, seconds=SHORT, resolve=resolve))
    done.set()


def test_redirects_have_one_deadline_together() -> None:
    def behave(peer: Peer) -> None:
        peer.wait(0.6 * SHORT)
        leads_to("/on")(peer)

    with serving(behave) as server:
        is_over_in_time(partial(fetch, server.port, seconds=SHORT))
    assert server.seen <= 2


def test_a_post_that_is_not_taken_is_left_in_time() -> None:
    with serving(silent) as server:
        is_over_in_time(partial(post, server.port, body=bytes(20_000_000), seconds=SHORT))


def test_a_call_without_time_asks_nobody() -> None:
    with serving(says(answer())) as server, pytest.raises(NotReached):
        fetch(server.port, seconds=0)
    assert server.seen == 0
