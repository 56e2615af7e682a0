"""``data:`` URLs (RFC 2397), as people really write them. Standard library only."""

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
    """What the URL holds; the type that it claims is not looked at. ValueError if it is not base64.

    There may be line breaks, percent-encoded characters, the letters of the URL-safe alphabet, and
    no padding.
    """
    header, comma, text = url.partition(",")
    if not (comma and is_data_url(header) and _IS_BASE64.search(header)):
        raise ValueError("no data: URL in base64")
    data = _percent_decoded(text.encode())  # UnicodeEncodeError is a ValueError
    letters = data.translate(bytes.maketrans(b"-_", b"+/"), delete=_BLANKS)
    bare = letters.removesuffix(b"=").removesuffix(b"=")
    return base64.b64decode(bare + b"=" * (-len(bare) % 4), validate=True)


def _percent_decoded(data: bytes) -> bytes:
    """In chunks: taken apart at once, millions of escapes would be as many objects in memory."""
    if b"%" not in data:
        return data
    decoded, start = bytearray(), 0
    while start < len(data):
        end = start + _CHUNK
        cut = data.rfind(b"%", end - 2, end)  # no escape is cut in two
        end = cut if cut > start else end
        decoded += unquote_to_bytes(data[start:end])
        start = end
    return bytes(decoded)
