"""Strangers' servers: real servers on this machine, and names that the test resolves."""

import time
from collections.abc import Callable

import pytest

from swaps import net
from swaps.net import NotReached
from tests.net_servers import Server

PUBLIC = "93.184.215.14"  # never connected to
LOCAL = "127.0.0.1"
SHORT = 0.3  # seconds that a call gets when it is meant to run out of them
SLACK = 20.0  # seconds after which it is certain that it did not stop in time
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


class Resolver:
    """A DNS resolver: gives the first answer to the first query, …, the last to all others."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def __call__(self, host: str) -> list[str]:
        self.asked.append(host)
        return self.answers[min(len(self.asked), len(self.answers)) - 1]


class Sentinels:
    """Servers that nobody may ever reach, at this machine's own addresses."""

    def __init__(self, servers: list[Server]) -> None:
        self.port = servers[0].port
        self._servers = servers

    @property
    def seen(self) -> int:
        return sum(server.seen for server in self._servers)


def fetch(
    port: int,
    path: str = "/",
    *,
    scheme: str = "http",
    max_bytes: int = 10_000,
    seconds: float = 5,
    resolve: net.Resolve | None = None,
) -> bytes:
    return net.fetch(
        f"{scheme}://start.test:{port}{path}",
        max_bytes=max_bytes,
        seconds=seconds,
        resolve=resolve or Resolver([LOCAL]),
    )


def post(port: int, *, body: bytes = b"{}", seconds: float = 60) -> net.Response:
    return net.post(
        f"http://start.test:{port}/hook",
        body=body,
        headers={"Content-Type": "application/json"},
        seconds=seconds,
        resolve=Resolver([LOCAL]),
    )


def is_over_in_time(call: Callable[[], object]) -> None:
    begun = time.monotonic()
    with pytest.raises(NotReached, match=r"took more than 0\.3 seconds"):
        call()
    assert time.monotonic() - begun < SLACK
