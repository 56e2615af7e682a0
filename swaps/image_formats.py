"""What lies around the pixels of JPEG, PNG and WebP, read without decoding. Standard library only.

A photo arrives with segments that no decoder needs: EXIF, thumbnails, comments, text that unpacks
to gigabytes, further pictures. What we want of them (size, orientation, colour profile, XMP) is
read here; the decoder is handed the rest, so its parsers of all that never see a stranger's bytes.
JPEG: ITU-T T.81 annex B. PNG: W3C, third edition. WebP: RFC 9649.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from swaps import image_exif, image_profiles
from swaps.image_exif import EXIF_PREFIX
from swaps.image_types import identify

# Decoding a scan costs a pass over the whole picture: 75 bytes that take 25 ms at 50 megapixels.
# Encoders write about ten; a file of 20 MB made of nothing else would take two hours.
MAX_JPEG_SCANS = 100
MAX_PARTS = 20_000
MAX_PROFILE_BYTES = 4_000_000  # the largest printing profiles stay below 3 MB


Name = Literal["JPEG", "PNG", "WebP", "HEIC"]


class Malformed(Exception):
    """The file breaks the rules of its format, or ends too early."""


@dataclass(frozen=True, kw_only=True)
class Container:
    """One file. Width and height are as stored, before ``orientation`` (EXIF, 1…8) is applied."""

    format: Name
    width: int
    height: int
    parts: tuple[bytes | memoryview, ...]  # the same picture with only what a decoder needs
    orientation: int = 1
    profiles: tuple[bytes, ...] = ()  # ICC; the first that can be read holds
    is_grey: bool = False  # a PNG's colour type: Pillow makes RGBA of grey with alpha of 16 bits
    transparent: tuple[int, ...] = ()  # a PNG's transparent colour, in samples as they are stored
    bits: int = 8  # of such a sample
    xmp: bytes | None = None
    is_animated: bool = False

    @property
    def pixels(self) -> bytes:
        """The parts in one piece: a copy, unless there is one only."""
        first, *others = self.parts
        return b"".join(self.parts) if others or not isinstance(first, bytes) else first


def read(data: bytes) -> Container:
    """Raises Malformed for what is not a whole JPEG, PNG or WebP."""
    reader = {"JPEG": _read_jpeg, "PNG": _read_png, "WebP": _read_webp}.get(identify(data))
    if reader is None:
        raise Malformed
    try:
        container = reader(data)
    except (struct.error, IndexError, ValueError) as error:
        raise Malformed from error
    if not (container.width and container.height):
        raise Malformed
    return container


# --- JPEG -----------------------------------------------------------------------------------------

# Inside a scan 0xFF is followed by 0 (stuffing) or a restart marker. Fill bytes (further 0xFF) and
# junk between segments, which decoders skip as well, are passed over by searching.
_MARKER = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])")
_SOI, _EOI, _SOS, _TEM = 0xD8, 0xD9, 0xDA, 0x01
_SOF = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_METADATA = {*range(0xE0, 0xF0), 0xFE}
_XMP, _ICC = b"http://ns.adobe.com/xap/1.0/\0", b"ICC_PROFILE\0"
_HOW_COLOURS_ARE_CODED = (b"JFIF\0", b"Adobe")


def _read_jpeg(data: bytes) -> Container:
    frames: list[bytes] = []
    scans = 0
    extra: dict[bytes, bytes] = {}
    profile: dict[int, bytes] = {}
    kept: list[bytes | memoryview] = [b"\xff\xd8"]
    for marker, body, whole in _jpeg_segments(data):
        scans += marker == _SOS
        if marker in _SOF:
            frames.append(body)
        if body.startswith(_ICC) and marker in _METADATA:
            profile[body[12]] = body[14:]
        for name in (EXIF_PREFIX, _XMP):
            if body.startswith(name) and marker in _METADATA:
                extra.setdefault(name, body[len(name) :])
        if marker not in _METADATA or body.startswith(_HOW_COLOURS_ARE_CODED):
            kept.append(whole)
    if len(frames) != 1 or not 1 <= scans <= MAX_JPEG_SCANS:
        raise Malformed
    height, width = struct.unpack_from(">HH", frames[0], 1)
    exif = extra.get(EXIF_PREFIX)
    return Container(
        format="JPEG",
        width=width,
        height=height,
        parts=(*kept, b"\xff\xd9"),
        orientation=image_exif.orientation(exif),
        profiles=_profiles(b"".join(profile[number] for number in sorted(profile)), exif),
        xmp=extra.get(_XMP),
    )


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, bytes, memoryview]]:
    """Marker, contents and the whole segment up to the first picture's end.

    What follows it (further pictures in a phone's multi-picture file, a video) is left out.
    """
    view = memoryview(data)
    at = 2
    for _ in range(MAX_PARTS):
        found = _MARKER.search(data, at)
        if found is None:
            raise Malformed
        marker, start = found[1][0], found.end()
        if marker == _EOI:
            return
        if marker == _SOI:
            raise Malformed
        at = start
        if marker == _TEM:
            continue
        at = start + int.from_bytes(data[start : start + 2])
        body = data[start + 2 : at]
        if at < start + 2 or at > len(data):
            raise Malformed
        if marker == _SOS:
            following = _MARKER.search(data, at)
            if following is None:
                raise Malformed
            at = following.start()
        yield marker, body, view[found.start() : at]
    raise Malformed


def _profiles(icc: bytes | None, exif: bytes | None) -> tuple[bytes, ...]:
    """What the file carries holds before what EXIF says."""
    adobe_rgb = image_profiles.adobe_rgb() if image_exif.is_adobe_rgb(exif) else None
    return tuple(filter(None, (icc, adobe_rgb)))


# --- PNG ------------------------------------------------------------------------------------------

_PIXEL_CHUNKS = {b"IHDR", b"PLTE", b"IDAT", b"IEND"}
_BEFORE_THE_PIXELS = {b"tRNS", b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM"}
_READ_ONCE = {b"IHDR", b"acTL", b"eXIf", *_BEFORE_THE_PIXELS}
_GREY, _PALETTE = {0, 4}, 3  # colour types


def _read_png(data: bytes) -> Container:
    view = memoryview(data)
    kept = [view[:8]]
    first: dict[bytes, bytes] = {}
    xmp = None
    at = 8
    has_pixels = False
    for _ in range(MAX_PARTS):
        length, name = struct.unpack_from(">I4s", data, at)
        body, end = view[at + 8 : at + 8 + length], at + 12 + length
        if end > len(data):
            raise Malformed
        has_pixels = has_pixels or name == b"IDAT"
        is_in_place = not (has_pixels and name in _BEFORE_THE_PIXELS)
        if name in _READ_ONCE and name not in first and is_in_place and _is_whole(view[at:end]):
            first[name] = bytes(body)
            if name == b"tRNS" and first[b"IHDR"][9] == _PALETTE:
                kept.append(view[at:end])
        if name in _PIXEL_CHUNKS:
            kept.append(view[at:end])
        if name == b"iTXt" and bytes(body[:18]) == b"XML:com.adobe.xmp\0":
            xmp = xmp or _png_text(bytes(body[18:]))
        at = end
        if name == b"IEND":
            break
    else:
        raise Malformed
    width, height, bits, colour_type = struct.unpack_from(">IIBB", first.get(b"IHDR", b""))
    exif = first.get(b"eXIf", b"").removeprefix(EXIF_PREFIX)
    return Container(
        format="PNG",
        width=width,
        height=height,
        parts=(data,) if sum(map(len, kept)) == len(data) else tuple(kept),
        orientation=image_exif.orientation(exif),
        profiles=image_profiles.of_png(
            first | {b"iCCP": _png_profile(first.get(b"iCCP", b"")) or b""},
            is_adobe_rgb=image_exif.is_adobe_rgb(exif),
            is_grey=colour_type in _GREY,
        ),
        is_grey=colour_type in _GREY,
        transparent=_transparent_colour(first.get(b"tRNS", b""), colour_type, bits),
        bits=bits,
        xmp=xmp,
        is_animated=b"acTL" in first and struct.unpack_from(">I", first[b"acTL"])[0] > 1,
    )


def _is_whole(chunk: memoryview) -> bool:
    return zlib.crc32(chunk[4:-4]) == int.from_bytes(chunk[-4:])


def _transparent_colour(body: bytes, colour_type: int, bits: int) -> tuple[int, ...]:
    """Pillow compares it with pixels of 8 bits, whatever it is meant for; so we do that."""
    samples = {0: 1, 2: 3}.get(colour_type)
    if samples is None or len(body) != 2 * samples:
        return ()
    return tuple(sample & (1 << bits) - 1 for sample in struct.unpack(f">{samples}H", body))


def _png_text(body: bytes) -> bytes | None:
    """The text of an iTXt chunk, after its keyword."""
    is_compressed = body[0]
    _language, _keyword, text = body[2:].split(b"\0", 2)
    return _inflate(text) if is_compressed else text


def _png_profile(body: bytes) -> bytes | None:
    _name, _, method_and_profile = body.partition(b"\0")
    return _inflate(method_and_profile[1:])


def _inflate(data: bytes) -> bytes | None:
    """What unpacks to more than MAX_PROFILE_BYTES is not worth having."""
    unpacker = zlib.decompressobj()
    try:
        plain = unpacker.decompress(data, MAX_PROFILE_BYTES)
    except zlib.error:
        return None
    return plain if unpacker.eof else None


# --- WebP -----------------------------------------------------------------------------------------


def _read_webp(data: bytes) -> Container:
    size = None
    frames = 0
    extra: dict[bytes, bytes] = {}
    end = 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        raise Malformed
    at = 12
    for _ in range(MAX_PARTS):
        if at + 8 > end:
            break
        name, length = struct.unpack_from("<4sI", data, at)
        if at + 8 + length > end:
            raise Malformed
        size = size or _webp_size(name, data[at + 8 : at + 18])
        frames += name == b"ANMF"
        if name in (b"ICCP", b"EXIF", b"XMP ") and name not in extra:
            extra[name] = data[at + 8 : at + 8 + length]
        at += 8 + length + length % 2
    if size is None:
        raise Malformed
    exif = extra.get(b"EXIF", b"").removeprefix(EXIF_PREFIX)
    return Container(
        format="WebP",
        width=size[0],
        height=size[1],
        parts=(data if end == len(data) else memoryview(data)[:end],),
        orientation=image_exif.orientation(exif),
        profiles=_profiles(extra.get(b"ICCP"), exif),
        xmp=extra.get(b"XMP "),
        is_animated=frames > 1,
    )


def _webp_size(name: bytes, head: bytes) -> tuple[int, int] | None:
    if name == b"VP8X":
        return 1 + int.from_bytes(head[4:7], "little"), 1 + int.from_bytes(head[7:10], "little")
    if name == b"VP8 ":
        width, height = struct.unpack_from("<HH", head, 6)
        return width & 0x3FFF, height & 0x3FFF
    if name == b"VP8L":
        bits = int.from_bytes(head[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return None
