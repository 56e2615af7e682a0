"""Reads request bodies within a size limit, and decompresses them within it."""

import tempfile
from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest

from swaps import errors
from swaps.api.answers import CHUNK, body_stream
from swaps.net.unpacking import UnknownEncodingError, UnpackingError, unpack

BYTES_IN_MEMORY = 1_000_000  # of a body that is still coming in


def read(request: HttpRequest, limit: int) -> bytes:
    """Read a body of at most ``limit`` bytes, decompressed.

    Raises ``errors.PayloadTooLarge`` and ``errors.BadRequest``.
    """
    encoding, size = request.headers.get("Content-Encoding", ""), 0
    with tempfile.SpooledTemporaryFile(max_size=BYTES_IN_MEMORY) as body:
        try:
            for piece in unpack(_chunks(body_stream(request), limit), encoding):
                size += len(piece)
                if size > limit:
                    raise _too_large(limit)
                body.write(piece)
        except UnknownEncodingError as error:
            raise errors.BadRequest("encoding") from error
        except UnpackingError as error:
            raise errors.BadRequest("unpacking") from error
        body.seek(0)
        return body.read()


def _chunks(source: Any, limit: int) -> Iterator[bytes]:
    """Yield the bytes as they come over the wire; compressed ones have the same limit."""
    size = 0
    while chunk := _next_chunk(source):
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        yield chunk


def _next_chunk(source: Any) -> bytes:
    try:
        chunk: bytes = source.read(CHUNK)
    except OSError as error:
        raise errors.BadRequest("cut_off") from error
    return chunk


def _too_large(limit: int) -> errors.PayloadTooLarge:
    return errors.PayloadTooLarge("limit", limit=limit // 1_000_000)
