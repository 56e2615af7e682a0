"""Reads the chunks of a PNG without decoding it (W3C, third edition). Standard library only."""

import struct
import zlib
from collections.abc import Iterator

from swaps.images import profiles
from swaps.images.exif import EXIF_PREFIX, orientation
from swaps.images.types import MAX_PARTS, MAX_PROFILE_BYTES, Container, Malformed

PIXEL_CHUNKS = {b"IHDR", b"PLTE", b"IDAT", b"IEND"}
_BEFORE_PIXELS = {b"tRNS", b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM"}
_READ_ONCE = {b"IHDR", b"acTL", b"eXIf", *_BEFORE_PIXELS}
_END = b"\0\0\0\0IEND\xaeB`\x82"
_GREY, _PALETTE = {0, 4}, b"\3"  # colour types


def read(data: bytes) -> Container:
    """Return the container of a PNG, without its metadata.

    Raises ``Malformed``, struct.error or IndexError for a broken file.
    """
    kept: list[bytes | memoryview] = [data[:8]]
    first: dict[bytes, bytes] = {}
    xmp = None
    has_pixels = False
    name = b""
    for name, chunk in chunks(data):
        has_pixels = has_pixels or name == b"IDAT"
        is_in_place = not (has_pixels and name in _BEFORE_PIXELS)
        if name in _READ_ONCE and name not in first and is_in_place and is_whole(chunk):
            first[name] = bytes(chunk[8:-4])
        is_palette = first.get(b"IHDR", b"")[9:10] == _PALETTE
        if name in PIXEL_CHUNKS or (name == b"tRNS" and is_palette and name in first):
            kept.append(chunk)
        if name == b"iTXt" and bytes(chunk[8:26]) == b"XML:com.adobe.xmp\0":
            xmp = xmp or _text(bytes(chunk[26:-4]))
    if name != b"IEND":
        kept.append(_END)
    width, height, bits, colour_type = struct.unpack_from(">IIBB", first.get(b"IHDR", b""))
    exif = first.get(b"eXIf", b"").removeprefix(EXIF_PREFIX)
    return Container(
        format="PNG",
        width=width,
        height=height,
        parts=(data,) if sum(map(len, kept)) == len(data) else tuple(kept),
        orientation=orientation(exif),
        profiles=profiles.png_profile_candidates(
            first | {b"iCCP": _profile(first.get(b"iCCP", b"")) or b""},
            exif,
            is_grey=colour_type in _GREY,
        ),
        is_grey=colour_type in _GREY,
        transparent=_transparent_colour(first.get(b"tRNS", b""), colour_type, bits),
        bits=bits,
        xmp=xmp,
        is_animated=b"acTL" in first and struct.unpack_from(">I", first[b"acTL"])[0] > 1,
    )


def chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Yield name and whole of each chunk up to IEND, which may be missing; raises ``Malformed``."""
    view = memoryview(data)
    at = 8
    name = b""
    for _ in range(MAX_PARTS):
        if name == b"IDAT" and at + len(_END) > len(data):
            return
        length, name = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if end > len(data):
            raise Malformed
        yield name, view[at:end]
        if name == b"IEND":
            return
        at = end
    raise Malformed


def is_whole(chunk: memoryview) -> bool:
    """Return whether the checksum is right.

    Decoders ignore ancillary chunks whose checksum is wrong.
    """
    return zlib.crc32(chunk[4:-4]) == int.from_bytes(chunk[-4:])


def _transparent_colour(body: bytes, colour_type: int, bits: int) -> tuple[int, ...]:
    """Return the transparent colour of tRNS at the picture's bit depth; () if there is none."""
    samples = {0: 1, 2: 3}.get(colour_type)
    if samples is None or len(body) != 2 * samples:
        return ()
    return tuple(sample & (1 << bits) - 1 for sample in struct.unpack(f">{samples}H", body))


def _text(body: bytes) -> bytes | None:
    """Return the text of an iTXt chunk, from the bytes after its keyword."""
    is_compressed = body[0]
    _language, _keyword, text = body[2:].split(b"\0", 2)
    return _inflate(text) if is_compressed else text


def _profile(body: bytes) -> bytes | None:
    """Return the decompressed profile of an iCCP chunk."""
    _name, _, method_and_profile = body.partition(b"\0")
    return _inflate(method_and_profile[1:])


def _inflate(data: bytes) -> bytes | None:
    """Return the decompressed data; None if it is broken or larger than ``MAX_PROFILE_BYTES``."""
    unpacker = zlib.decompressobj()
    try:
        plain = unpacker.decompress(data, MAX_PROFILE_BYTES)
    except zlib.error:
        return None
    return plain if unpacker.eof else None
