"""Bodies that are too large, or packed."""

import gzip
import time
import tracemalloc
import zlib

import pytest

from swaps import net
from swaps.net import BadResponse, NotReached, TooLarge
from tests.net.strangers import CHUNKED, OK, SLACK, fetch, post
from tests.net_servers import (
    answer,
    drips,
    says,
    serving,
)


def test_a_body_may_be_as_large_as_allowed_and_no_larger() -> None:
    without_length = OK + b"\r\n" + bytes(1_000)
    chunked = CHUNKED + b"3e8\r\n" + bytes(1_000) + b"\r\n0\r\n\r\n"
    with serving(says(answer(bytes(1_000)), without_length, chunked)) as server:
        for _ in range(3):
            assert fetch(server.port, max_bytes=1_000) == bytes(1_000)
        for _ in range(3):
            with pytest.raises(TooLarge):
                fetch(server.port, max_bytes=999)
    assert server.seen == 6


def test_a_body_that_announces_too_much_is_not_read() -> None:
    announced = drips(OK + b"Content-Length: 1000000\r\n\r\n", b"", pause=30)
    with serving(announced) as server, pytest.raises(TooLarge):
        fetch(server.port)


@pytest.mark.parametrize(
    ("start", "again"),
    [
        (OK + b"\r\n", bytes(10_000)),
        (CHUNKED, b"2710\r\n" + bytes(10_000) + b"\r\n"),
        (CHUNKED + b"ffffffffffff\r\n", bytes(10_000)),
        (OK + b"Content-Length: 5\r\nContent-Length: 5000000\r\n\r\n", bytes(10_000)),
        (OK + b"Content-Length: -1\r\n\r\n", bytes(10_000)),
        (CHUNKED + b"-1\r\n", bytes(10_000)),
    ],
)
def test_an_endless_body_is_cut_off(start: bytes, again: bytes) -> None:
    begun = time.monotonic()
    with serving(drips(start, again, pause=0)) as server, pytest.raises((TooLarge, NotReached)):
        fetch(server.port, max_bytes=100_000)
    assert time.monotonic() - begun < SLACK


PACKED = {
    "gzip": ("gzip", gzip.compress(b"picture")),
    "in upper case": (" GZip ", gzip.compress(b"picture")),
    "its old name": ("x-gzip", gzip.compress(b"picture")),
    "two members": ("gzip", gzip.compress(b"pic") + gzip.compress(b"ture")),
    "zlib": ("deflate", zlib.compress(b"picture")),
    "bare deflate": ("deflate", zlib.compress(b"picture")[2:-4]),
    "not packed": ("identity", b"picture"),
    "not packed, and packed": ("identity, gzip", gzip.compress(b"picture")),
}


@pytest.mark.parametrize(("encoding", "body"), PACKED.values(), ids=PACKED)
def test_what_a_host_packs_unasked_is_unpacked(encoding: str, body: bytes) -> None:
    head = f"Content-Encoding: {encoding}\r\n"
    with serving(says(answer(body, head=head))) as server:
        assert fetch(server.port, max_bytes=100) == b"picture"
        assert post(server.port).body == b"picture"


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 131_072, 1_000_000])
def test_every_size_is_unpacked(size: int) -> None:
    packed = answer(gzip.compress(bytes(size)), head="Content-Encoding: gzip\r\n")
    with serving(says(packed)) as server:
        assert fetch(server.port, max_bytes=1_000_000) == bytes(size)


def test_a_gzip_bomb_is_unpacked_up_to_the_limit() -> None:
    bomb = gzip.compress(bytes(100_000_000), 1)
    with serving(says(answer(bomb, head="Content-Encoding: gzip\r\n"))) as server:
        tracemalloc.start()
        with pytest.raises(TooLarge):
            fetch(server.port, max_bytes=1_000_000)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert post(server.port).body == bytes(net.EXCERPT_BYTES)
    assert peak < 5_000_000


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "nonsense"])
def test_what_is_packed_in_another_way_is_said_so(encoding: str) -> None:
    packed = answer(b"picture", head=f"Content-Encoding: {encoding}\r\n")
    with serving(says(packed)) as server:
        with pytest.raises(BadResponse, match="Content-Encoding"):
            fetch(server.port)
        assert post(server.port) == net.Response(status=200, body=b"")


@pytest.mark.parametrize(
    "body", [b"picture", gzip.compress(b"picture")[:-1]], ids=["plain", "cut short"]
)
def test_what_is_not_packed_as_it_says_is_an_error_of_ours(body: bytes) -> None:
    packed = answer(body, head="Content-Encoding: gzip\r\n")
    with serving(says(packed)) as server, pytest.raises(NotReached, match="broke off"):
        fetch(server.port)
