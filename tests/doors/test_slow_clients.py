"""Clients that send slowly, or never end, hold no threads."""

import contextlib
import socket
import time
from collections.abc import Iterator

import pytest

from tests.doors.wire import FORM, HOST, Door
from tests.paths import ROOT
from tests.running import free_port, running, wait_until
from tests.running_site import RunningSite

HEAD = f"GET / HTTP/1.1\r\nHost: {HOST}\r\nX: ".encode()


def test_heads_that_never_end_stop_nobody(gunicorn: Door) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(100):  # the site has 16 threads
            stack.enter_context(gunicorn.connect()).sendall(HEAD)
        begun = time.monotonic()
        statuses = [gunicorn.ask("GET /accounts/login/").status for _ in range(10)]
        assert statuses == [200] * 10
        assert time.monotonic() - begun < 5


@pytest.mark.parametrize("length", [1_000, 100_000])
def test_bodies_that_never_come_stop_nobody(gunicorn: Door, length: int) -> None:
    head = f"POST /accounts/login/ HTTP/1.1\r\nHost: {HOST}\r\n{FORM}\r\n"
    head += f"X-Forwarded-Proto: https\r\nContent-Length: {length}\r\n"
    head += f"Referer: https://{HOST}/\r\nCookie: csrftoken={'a' * 32}\r\n\r\na="
    with contextlib.ExitStack() as stack:
        for _ in range(60):
            stack.enter_context(gunicorn.connect()).sendall(head.encode())
        begun = time.monotonic()
        statuses = [gunicorn.ask("GET /accounts/login/").status for _ in range(10)]
        statuses.append(gunicorn.post("/accounts/login/", {"login": "a"}).status)
        assert statuses == [200] * 11
        assert time.monotonic() - begun < 5


def test_a_client_that_asks_first_is_told_to_go_on(gunicorn: Door) -> None:
    head = f"POST /accounts/login/ HTTP/1.1\r\nHost: {HOST}\r\n{FORM}\r\n"
    head += "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n"
    with gunicorn.connect() as connection:
        connection.sendall(head.encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 100 Continue")


def test_a_head_may_come_in_pieces_and_two_at_once(gunicorn: Door) -> None:
    rest = b"1\r\nX-Forwarded-Proto: https\r\nConnection: "
    second = f"GET /nowhere/ HTTP/1.1\r\nHost: {HOST}\r\n".encode() + b"X: " + rest
    with gunicorn.connect() as connection:
        for piece in (HEAD[:1], HEAD[1:20], HEAD[20:], rest, b"keep-alive\r", b"\n\r"):
            connection.sendall(piece)
            time.sleep(0.02)
        connection.sendall(b"\n" + second[:40])
        time.sleep(0.1)
        connection.sendall(second[40:] + b"close\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"HTTP/1.1 404 Not Found\r\n" in answer


@pytest.mark.parametrize("request_", [b"x" * 70_000, b"GET / HTTP/1.1\nHost: x\n\n", b"\r\n\r\n"])
def test_a_head_that_is_none_is_refused_at_once(gunicorn: Door, request_: bytes) -> None:
    assert gunicorn.say(request_).status == 400


@pytest.fixture
def impatient(site: RunningSite) -> Iterator[Door]:
    """The site's own web server with shorter limits, so that nobody has to wait for them."""
    door = Door(port=free_port())
    config = str(ROOT / "tests" / "doors" / "impatient.py")
    address = ("--bind", f"127.0.0.1:{door.port}", "faceswap_site.wsgi")
    with running("-m", "gunicorn", "--config", config, *address, environment=site.environment):
        assert wait_until(door.is_open, 30)
        yield door


def test_who_does_not_go_on_is_hung_up_on(impatient: Door) -> None:
    body = f"POST /accounts/login/ HTTP/1.1\r\nHost: {HOST}\r\n{FORM}\r\n".encode()
    body += b"X-Forwarded-Proto: https\r\nContent-Length: 100000\r\n"
    body += f"Cookie: csrftoken={'a' * 32}\r\n\r\na".encode()
    with impatient.connect() as slow_head, impatient.connect() as slow_body:
        slow_head.sendall(HEAD)
        slow_body.sendall(body)
        begun = time.monotonic()
        while not (answer := _received(slow_body)) and time.monotonic() - begun < 10:
            slow_body.sendall(b"a")
        assert b"HTTP/1.1 4" in (answer or b"")
        assert slow_head.recv(1) == b""


def _received(connection: socket.socket) -> bytes | None:
    connection.settimeout(0.1)
    try:
        return connection.recv(1_000)
    except TimeoutError:
        return None
