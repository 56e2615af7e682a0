"""Reads orientation and colour space from EXIF. Standard library only.

EXIF is a TIFF file: directories of entries (EXIF 2.32, section 4.6). Broken EXIF is no reason to
refuse a photo: what cannot be read is ignored.
"""

import struct

EXIF_PREFIX = b"Exif\0\0"  # in JPEG and HEIC; some programs write it in WebP and PNG as well

_ORIENTATION, _EXIF_DIRECTORY = 0x0112, 0x8769
_COLOUR_SPACE, _INTEROPERABILITY_DIRECTORY = 0xA001, 0xA005
_INTEROPERABILITY_INDEX = 0x0001
_SRGB, _ADOBE_RGB = 1, 2  # 2 is not in the standard, and written by some cameras
_MAX_ENTRIES = 1_000


def orientation(exif: bytes | None) -> int:
    """Return the EXIF orientation, 1…8; 1 if it cannot be read."""
    order = _byte_order(exif)
    if exif is None or order is None:
        return 1
    value = _integer(exif, order, _entries(exif, order, _first(exif, order)).get(_ORIENTATION))
    return value if value is not None and 1 <= value <= 8 else 1


def is_adobe_rgb(exif: bytes | None) -> bool:
    """Return whether the colours are Adobe RGB.

    By the "R03" of cameras (DCF), or by colour space 2.
    """
    order = _byte_order(exif)
    if exif is None or order is None:
        return False
    first = _entries(exif, order, _first(exif, order))
    details = _entries(exif, order, _integer(exif, order, first.get(_EXIF_DIRECTORY)))
    colour_space = _integer(exif, order, details.get(_COLOUR_SPACE))
    if colour_space in {_SRGB, _ADOBE_RGB}:
        return colour_space == _ADOBE_RGB
    directory = _integer(exif, order, details.get(_INTEROPERABILITY_DIRECTORY))
    index = _entries(exif, order, directory).get(_INTEROPERABILITY_INDEX)
    return index is not None and exif[index + 8 : index + 11] == b"R03"


def _byte_order(exif: bytes | None) -> str | None:
    return {b"II": "<", b"MM": ">"}.get((exif or b"")[:2])


def _first(exif: bytes, order: str) -> int | None:
    return _unpack(exif, f"{order}I", 4)


def _entries(exif: bytes, order: str, start: int | None) -> dict[int, int]:
    """Return the position of each tag's entry in the directory at ``start``; the first one wins."""
    count = None if start is None else _unpack(exif, f"{order}H", start)
    if start is None or count is None:
        return {}
    entries: dict[int, int] = {}
    for at in range(start + 2, start + 2 + 12 * min(count, _MAX_ENTRIES), 12):
        tag = _unpack(exif, f"{order}H", at)
        if tag is None or at + 12 > len(exif):
            break
        entries.setdefault(tag, at)
    return entries


def _integer(exif: bytes, order: str, entry: int | None) -> int | None:
    """Return the value of an entry that holds one integer of any size; None otherwise."""
    if entry is None or _unpack(exif, f"{order}I", entry + 4) != 1:
        return None
    code = {1: "B", 3: "H", 4: "I"}.get(_unpack(exif, f"{order}H", entry + 2) or 0)
    return _unpack(exif, f"{order}{code}", entry + 8) if code else None


def _unpack(exif: bytes, code: str, at: int) -> int | None:
    try:
        return int(struct.unpack_from(code, exif, at)[0])
    except struct.error:
        return None
