"""Decompresses bodies with a ``Content-Encoding`` (gzip, deflate) as they stream in.

Chunks are small, so that whoever counts them can stop a compression bomb in time. Standard library
only.
"""

import zlib
from collections.abc import Iterable, Iterator
from typing import Final

CHUNK_BYTES: Final = 65_536
_PLAIN: Final = frozenset({"", "identity"})
_GZIP_WINDOW, _ZLIB_WINDOW, _RAW_WINDOW = 31, 15, -15


class UnpackingError(ValueError):
    """The body is not what its encoding says, or it is truncated."""


class UnknownEncodingError(UnpackingError):
    """The encoding is neither gzip nor deflate, or there are several."""


def unpack(chunks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """Yield the decompressed body in chunks of at most ``CHUNK_BYTES``.

    ``encoding`` is the header's value; with an empty one the body passes unchanged. Raises
    ``UnknownEncodingError`` at once and ``UnpackingError`` while iterating.
    """
    named = [name.strip().lower() for name in encoding.split(",")]
    packed_as = [name for name in named if name not in _PLAIN]
    match packed_as:
        case []:
            return iter(chunks)
        case ["gzip" | "x-gzip"]:
            return _inflate(chunks, is_gzip=True)
        case ["deflate"]:
            return _inflate(chunks, is_gzip=False)
    raise UnknownEncodingError


def _inflate(chunks: Iterable[bytes], *, is_gzip: bool) -> Iterator[bytes]:
    """Yield the decompressed data.

    Gzip with several members, zlib, or raw deflate, which some send.
    """
    unpacker = None
    for chunk in chunks:
        packed, has_more = chunk, bool(chunk)
        while has_more:
            if unpacker is None:
                unpacker = zlib.decompressobj(_GZIP_WINDOW if is_gzip else _zlib_window(packed))
            try:
                unpacked = unpacker.decompress(packed, CHUNK_BYTES)
            except zlib.error as error:
                raise UnpackingError from error
            if unpacked:
                yield unpacked
            if unpacker.eof and is_gzip:
                packed, unpacker = unpacker.unused_data, None
                has_more = bool(packed)
            else:
                packed = unpacker.unconsumed_tail
                has_more = bool(packed) or len(unpacked) == CHUNK_BYTES
    if unpacker is not None and not unpacker.eof:
        raise UnpackingError


def _zlib_window(packed: bytes) -> int:
    return _ZLIB_WINDOW if packed[0] & 0x0F == zlib.DEFLATED else _RAW_WINDOW
