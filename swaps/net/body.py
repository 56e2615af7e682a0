"""Reads response bodies within a size limit and a deadline, decompressed as they stream in."""

from collections.abc import Iterator
from typing import Final

from urllib3 import BaseHTTPResponse

from swaps.net.deadline import Deadline
from swaps.net.errors import BadResponse, TooLarge
from swaps.net.unpacking import UnknownEncodingError, unpack

CHUNK_BYTES: Final = 65_536


def read_body(
    response: BaseHTTPResponse, limit: int, deadline: Deadline, *, is_lenient: bool = False
) -> bytes:
    """Return the whole body; with ``is_lenient`` one of an unknown encoding as it came.

    Raises ``TooLarge`` for more than ``limit`` bytes, ``BadResponse`` for an unknown encoding, and
    ``NotReached`` at the deadline.
    """
    is_announced = (response.length_remaining or 0) > limit
    chunks = body_chunks(response, deadline, is_lenient=is_lenient)
    if is_announced or len(body := _read(chunks, limit + 1)) > limit:
        raise TooLarge("host.too_large", limit=limit)
    deadline.remaining()  # the deadline may have cut the body off
    return body


def body_chunks(
    response: BaseHTTPResponse, deadline: Deadline, *, is_lenient: bool = False
) -> Iterator[bytes]:
    """Yield the body in decompressed chunks.

    A chunk is decompressed when it is read, so that a decompression bomb can be stopped in time.
    """
    encoding = response.headers.get("Content-Encoding", "")
    raw = iter(lambda: response.read1(CHUNK_BYTES, decode_content=False), b"")
    try:
        chunks = unpack(raw, encoding)
    except UnknownEncodingError:
        if not is_lenient:
            raise BadResponse("host.encoding", status=response.status) from None
        chunks = raw
    for chunk in chunks:
        deadline.remaining()
        yield chunk


def _read(chunks: Iterator[bytes], limit: int) -> bytes:
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) >= limit:
            break
    return bytes(body[:limit])
