"""Reads the segments of a JPEG without decoding it (ITU-T T.81 annex B). Standard library only."""

import re
import struct
from collections.abc import Iterator

from swaps.images.exif import EXIF_PREFIX, orientation
from swaps.images.profiles import profile_candidates
from swaps.images.types import MAX_PARTS, Container, Malformed

# Each scan is a pass over the whole picture: 75 bytes can take 25 ms at 50 megapixels. Encoders
# write about ten scans; a file of 20 MB made of nothing else would take two hours.
MAX_JPEG_SCANS = 100

# Inside a scan 0xFF is followed by 0 (stuffing) or a restart marker. Fill bytes (further 0xFF) and
# junk between segments, which decoders skip as well, are passed over by searching.
_MARKER = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])")
_SOI, _EOI, _SOS, _TEM = 0xD8, 0xD9, 0xDA, 0x01
PROGRESSIVE = 0xC2
# In the last scan of a progressive picture a damaged byte may look like an end marker, and only
# sharpness is lost. The marker is certain if nothing follows, another picture, or zero padding.
_PLAUSIBLE_AFTER_END = (b"", b"\xff\xd8", b"\0\0")
FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_METADATA = {*range(0xE0, 0xF0), 0xFE}
_BETWEEN_SCANS = {0xC4, 0xCC, _SOS, 0xDB, 0xDC, 0xDD, *_METADATA}  # and tables
_XMP, _ICC = b"http://ns.adobe.com/xap/1.0/\0", b"ICC_PROFILE\0"
_COLOUR_CODING_HEADERS = (b"JFIF\0", b"Adobe")


def read(data: bytes) -> Container:
    """Return the container of a JPEG, without its metadata.

    Raises ``Malformed``, struct.error or IndexError for a broken file.
    """
    frames: list[bytes] = []
    scans = 0
    extra: dict[bytes, bytes] = {}
    profile: dict[int, bytes] = {}
    kept: list[bytes | memoryview] = [b"\xff\xd8"]
    is_progressive = has_end = False
    for marker, body, whole in segments(data):
        scans += marker == _SOS
        if marker == _EOI:
            has_end = not is_progressive or bytes(whole[2:4]) in _PLAUSIBLE_AFTER_END
        if marker in FRAMES:
            frames.append(body)
            is_progressive = marker == PROGRESSIVE
        if body.startswith(_ICC) and marker in _METADATA:
            profile[body[12]] = body[14:]
        for name in (EXIF_PREFIX, _XMP):
            if body.startswith(name) and marker in _METADATA:
                extra.setdefault(name, body[len(name) :])
        if marker not in {_EOI, *_METADATA} or body.startswith(_COLOUR_CODING_HEADERS):
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
        profiles=profile_candidates(b"".join(profile[number] for number in sorted(profile)), exif),
        xmp=extra.get(_XMP),
        has_end=has_end,
    )


def segments(data: bytes) -> Iterator[tuple[int, bytes, memoryview]]:
    """Yield marker, contents and the whole of each segment; the end marker comes with all after it.

    After it may come further pictures of a phone's multi-picture file, or a video. A scan comes
    with its data, which may end the file: the end marker may be missing. Between scans nothing may
    stand but segments; otherwise a damaged byte has become a marker. Raises ``Malformed``.
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
