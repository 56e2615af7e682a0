"""Bodies with a ``Content-Encoding``, unpacked as they stream in. Standard library only.

What is unpacked comes in small pieces: whoever counts them can stop in time, however much a body
would become.
"""

import zlib
from collections.abc import Iterable, Iterator
from typing import Final

PIECE_BYTES: Final = 65_536
_PLAIN: Final = frozenset({"", "identity"})
_GZIP_WINDOW, _ZLIB_WINDOW, _RAW_WINDOW = 31, 15, -15


class UnpackingError(ValueError):
    """The body is not what its encoding says, or ends too early."""


class UnknownEncodingError(UnpackingError):
    """Neither gzip nor deflate, or several of them."""


def unpack(pieces: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """``encoding`` is the header as it came; an empty one leaves the body as it is."""
    named = [name.strip().lower() for name in encoding.split(",")]
    packed_as = [name for name in named if name not in _PLAIN]
    match packed_as:
        case []:
            return iter(pieces)
        case ["gzip" | "x-gzip"]:
            return _inflate(pieces, is_gzip=True)
        case ["deflate"]:
            return _inflate(pieces, is_gzip=False)
    raise UnknownEncodingError


def _inflate(pieces: Iterable[bytes], *, is_gzip: bool) -> Iterator[bytes]:
    """A gzip body may have several members. "deflate" is zlib, or what some send without it."""
    unpacker = None
    for piece in pieces:
        packed, has_more = piece, bool(piece)
        while has_more:
            if unpacker is None:
                unpacker = zlib.decompressobj(_GZIP_WINDOW if is_gzip else _window_of(packed))
            try:
                unpacked = unpacker.decompress(packed, PIECE_BYTES)
            except zlib.error as error:
                raise UnpackingError from error
            if unpacked:
                yield unpacked
            if unpacker.eof and is_gzip:
                packed, unpacker = unpacker.unused_data, None
                has_more = bool(packed)
            else:
                packed = unpacker.unconsumed_tail
                has_more = bool(packed) or len(unpacked) == PIECE_BYTES
    if unpacker is not None and not unpacker.eof:
        raise UnpackingError


def _window_of(packed: bytes) -> int:
    return _ZLIB_WINDOW if packed[0] & 0x0F == zlib.DEFLATED else _RAW_WINDOW
