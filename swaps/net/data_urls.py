"""Decodes ``data:`` URLs (RFC 2397), also as people really write them. Standard library only."""

import base64
import re
from typing import Final
from urllib.parse import unquote_to_bytes

_IS_BASE64: Final = re.compile(r";[ ]*base64[ ]*$", re.IGNORECASE)
_BLANKS: Final = b" \t\r\n\f"
_CHUNK: Final = 65_536


def is_data_url(url: str) -> bool:
    return url[:5].lower() == "data:"


def decode(url: str) -> bytes:
    """Return the bytes of a base64 ``data:`` URL; raises ValueError if it is none.

    The media type is ignored. Line breaks, percent-encoding, the URL-safe alphabet and missing
    padding are accepted.
    """
    header, comma, text = url.partition(",")
    if not (comma and is_data_url(header) and _IS_BASE64.search(header)):
        raise ValueError("no data: URL in base64")
    data = _percent_decoded(text.encode())  # UnicodeEncodeError is a ValueError
    letters = data.translate(bytes.maketrans(b"-_", b"+/"), delete=_BLANKS)
    unpadded = letters.removesuffix(b"=").removesuffix(b"=")
    return base64.b64decode(unpadded + b"=" * (-len(unpadded) % 4), validate=True)


def _percent_decoded(data: bytes) -> bytes:
    """Decode percent-encoding in chunks.

    ``unquote`` makes one object per escape, millions at once.
    """
    if b"%" not in data:
        return data
    decoded, start = bytearray(), 0
    while start < len(data):
        end = start + _CHUNK
        cut = data.rfind(b"%", end - 2, end)  # never split an escape
        end = cut if cut > start else end
        decoded += unquote_to_bytes(data[start:end])
        start = end
    return bytes(decoded)
