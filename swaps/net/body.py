"""Reads response bodies within a size limit and a deadline, decompressed as they stream in."""

from collections.abc import Iterator
from typing import Final

from urllib3 import BaseHTTPResponse

from swaps.net.deadline import Deadline
from swaps.net.errors import BadResponse, TooLarge
from swaps.net.unpacking import UnknownEncodingError, unpack

CHUNK_BYTES: Final = 65_536


def read_body(response: BaseHTTPResponse, limit: int, deadline: Deadline) -> bytes:
    """Return the whole body.

    Raises ``TooLarge`` for more than ``limit`` bytes, ``BadResponse`` for an unknown encoding, and
    ``NotReached`` at the deadline.
    """
    is_announced = (response.length_remaining or 0) > limit
    if is_announced or len(body := _read(response, limit + 1, deadline)) > limit:
        raise TooLarge("host.too_large", limit=limit)
    return body


def body_chunks(response: BaseHTTPResponse, deadline: Deadline) -> Iterator[bytes]:
    """Yield the body in decompressed chunks.

    A chunk is decompressed when it is read, so that a decompression bomb can be stopped in time.
    """
    encoding = response.headers.get("Content-Encoding", "")
    raw = iter(lambda: response.read1(CHUNK_BYTES, decode_content=False), b"")
    try:
        for chunk in unpack(raw, encoding):
            deadline.remaining()
            yield chunk
    except UnknownEncodingError:
        raise BadResponse("host.encoding", status=response.status) from None


def _read(response: BaseHTTPResponse, limit: int, deadline: Deadline) -> bytes:
    body = bytearray()
    for chunk in body_chunks(response, deadline):
        body += chunk
        if len(body) >= limit:
            break
    deadline.remaining()  # the deadline may have cut the body off
    return bytes(body[:limit])
