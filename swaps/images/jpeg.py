"""The segments of a JPEG, read without decoding (ITU-T T.81 annex B). Standard library only."""

import re
import struct
from collections.abc import Iterator

from swaps.images.exif import EXIF_PREFIX, orientation
from swaps.images.profiles import or_adobe_rgb
from swaps.images.types import MAX_PARTS, Container, Malformed

# Decoding a scan costs a pass over the whole picture: 75 bytes that take 25 ms at 50 megapixels.
# Encoders write about ten; a file of 20 MB made of nothing else would take two hours.
MAX_JPEG_SCANS = 100

# Inside a scan 0xFF is followed by 0 (stuffing) or a restart marker. Fill bytes (further 0xFF) and
# junk between segments, which decoders skip as well, are passed over by searching.
_MARKER = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])")
_SOI, _EOI, _SOS, _TEM = 0xD8, 0xD9, 0xDA, 0x01
PROGRESSIVE = 0xC2
# A byte in the last scan of a progressive picture that became an end marker takes only sharpness
# away. So the marker is sure if nothing follows, or another picture, or what fills a block.
_AFTER_THE_END = (b"", b"\xff\xd8", b"\0\0")
FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_METADATA = {*range(0xE0, 0xF0), 0xFE}
_BETWEEN_SCANS = {0xC4, 0xCC, _SOS, 0xDB, 0xDC, 0xDD, *_METADATA}  # and tables
_XMP, _ICC = b"http://ns.adobe.com/xap/1.0/\0", b"ICC_PROFILE\0"
_HOW_COLOURS_ARE_CODED = (b"JFIF\0", b"Adobe")


def read(data: bytes) -> Container:
    frames: list[bytes] = []
    scans = 0
    extra: dict[bytes, bytes] = {}
    profile: dict[int, bytes] = {}
    kept: list[bytes | memoryview] = [b"\xff\xd8"]
    is_progressive = has_end = False
    for marker, body, whole in segments(data):
        scans += marker == _SOS
        if marker == _EOI:
            has_end = not is_progressive or bytes(whole[2:4]) in _AFTER_THE_END
        if marker in FRAMES:
            frames.append(body)
            is_progressive = marker == PROGRESSIVE
        if body.startswith(_ICC) and marker in _METADATA:
            profile[body[12]] = body[14:]
        for name in (EXIF_PREFIX, _XMP):
            if body.startswith(name) and marker in _METADATA:
                extra.setdefault(name, body[len(name) :])
        if marker not in {_EOI, *_METADATA} or body.startswith(_HOW_COLOURS_ARE_CODED):
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
        orientation=orientation(exif),
        profiles=or_adobe_rgb(b"".join(profile[number] for number in sorted(profile)), exif),
        xmp=extra.get(_XMP),
        has_end=has_end,
    )


def segments(data: bytes) -> Iterator[tuple[int, bytes, memoryview]]:
    """Marker, contents and the whole segment; the end marker comes with all that follows.

    That may be further pictures in a phone's multi-picture file, or a video. A scan comes with its
    data, which may be the last of the file: the end marker may be missing. After the first scan
    segments stand close together; else a damaged byte has become a marker.
    """
    view = memoryview(data)
    at = 2
    has_scan = False
    for _ in range(MAX_PARTS):
        found = _MARKER.search(data, at)
        if found is None and has_scan and not data[at:].strip(b"\xff"):
            return
        if found is None:
            raise Malformed
        marker, start = found[1][0], found.end()
        if has_scan and data[at : found.start()].strip(b"\xff"):
            raise Malformed
        if marker == _EOI:
            yield marker, b"", view[start - 2 :]
            return
        if marker == _SOI or (has_scan and marker not in _BETWEEN_SCANS):
            raise Malformed
        at = start
        if marker == _TEM:
            continue
        at = start + int.from_bytes(data[start : start + 2])
        body = data[start + 2 : at]
        if at < start + 2 or at > len(data):
            raise Malformed
        if marker == _SOS:
            has_scan = True
            following = _MARKER.search(data, at)
            at = following.start() if following else len(data)
        yield marker, body, view[found.start() : at]
    raise Malformed
