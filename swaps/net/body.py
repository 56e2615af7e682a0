"""Bodies of answers: read within a limit and a deadline, unpacked where a host packed them."""

from collections.abc import Iterator
from typing import Final

from urllib3 import BaseHTTPResponse

from swaps.net.deadline import Deadline
from swaps.net.errors import BadAnswer, TooLarge
from swaps.net.unpacking import UnknownEncodingError, unpack

PIECE_BYTES: Final = 65_536


def read_body(response: BaseHTTPResponse, limit: int, deadline: Deadline) -> bytes:
    """Return the whole body. Raises TooLarge for more than ``limit`` bytes, and NotReached."""
    is_announced = (response.length_remaining or 0) > limit
    if is_announced or len(body := _read(response, limit + 1, deadline)) > limit:
        raise TooLarge("host.too_large", limit=limit)
    return body


def pieces(response: BaseHTTPResponse, deadline: Deadline) -> Iterator[bytes]:
    """Yield the body, unpacked, in pieces.

    No more is unpacked than is read next: a small body may be packed from an endless one.
    """
    encoding = response.headers.get("Content-Encoding", "")
    raw = iter(lambda: response.read1(PIECE_BYTES, decode_content=False), b"")
    try:
        for piece in unpack(raw, encoding):
            deadline.remaining()
            yield piece
    except UnknownEncodingError:
        raise BadAnswer("host.encoding", status=response.status) from None


def _read(response: BaseHTTPResponse, limit: int, deadline: Deadline) -> bytes:
    body = bytearray()
    for piece in pieces(response, deadline):
        body += piece
        if len(body) >= limit:
            break
    deadline.remaining()  # that it ended may be our own doing
    return bytes(body[:limit])
