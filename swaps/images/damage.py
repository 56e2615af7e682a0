"""Detects truncated and damaged pictures that a decoder would open without an error.

libjpeg fills missing parts with grey, Pillow missing rows of a PNG with black. A picture that
decodes to its end is accepted even if some bytes are wrong: every program shows it like that.

JPEG: ITU-T T.81. PNG: W3C, third edition, sections 5 and 10.
"""

import io
import re
import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product, zip_longest

from PIL import Image, ImageChops

from swaps.images import png
from swaps.images.jpeg import FRAMES, PROGRESSIVE, segments
from swaps.images.types import Container, Malformed

_SEQUENTIAL, _SOS, _DRI = {0xC0, 0xC1}, 0xDA, 0xDD
_RESTART = re.compile(rb"\xff([\xd0-\xd7])")
# Padding appended to data that should be complete: a decoder reads it only where data is missing.
# The first decodes to as many blocks as possible, each like the one before it and not grey. With
# a single padding, the missing data might happen to look the same.
_PADS = (b"\xff\x00" * 48, bytes(range(7, 0xFF, 9)), b"\x55" * 28, b"\xaa" * 28)
_STRIP = 256  # rows compared at once: the difference of whole pictures takes memory
_PIECE = 65_536  # bytes decompressed at once


def check_complete(container: Container, data: bytes, image: Image.Image) -> None:
    """Raise ``Malformed`` if part of the picture is missing.

    ``image`` is Pillow's decoding of it.
    """
    if container.format == "JPEG":
        _check_jpeg(data, image, has_end=container.has_end)
    elif container.format == "PNG":
        _check_png(data, image)


# --- JPEG -----------------------------------------------------------------------------------------

Slice = bytes | memoryview


@dataclass(frozen=True, kw_only=True)
class _Scan:
    """One scan, its data split at the restart markers. A unit is what is coded at once (an MCU)."""

    head: Slice
    intervals: list[Slice]
    restarts: list[int]  # the numbers of the markers between them
    units_in_interval: int
    columns: int  # of units
    rows: int
    unit: tuple[int, int]  # its width and height in pixels, where all components are coded
    components: bytes
    coefficients: range
    missing_bits: int  # of these coefficients, after this scan


@dataclass(frozen=True, kw_only=True)
class _Jpeg:
    """All segments between start and end marker, in order."""

    frame: int  # its marker
    components: bytes
    pieces: list[_Scan | Slice]

    @property
    def scans(self) -> list[_Scan]:
        return [piece for piece in self.pieces if isinstance(piece, _Scan)]


def _check_jpeg(data: bytes, image: Image.Image, *, has_end: bool) -> None:
    jpeg = _read_jpeg(data)
    if not all(_has_its_restarts(scan) for scan in jpeg.scans) or not _is_all_coded(jpeg):
        raise Malformed
    if jpeg.frame not in {*_SEQUENTIAL, PROGRESSIVE}:
        return  # arithmetic coding may omit trailing zeros
    if not has_end:
        for pad in _PADS:
            _check_identical(image, _open(jpeg.pieces, pad))
    elif len(jpeg.scans) > 1 or _has_grey_end(jpeg.scans[0], image):
        # Brightness and colour of each block are enough: 1/64 of the pixels, and few of the bits.
        pieces = [piece for piece in jpeg.pieces if _has_mean_colours(piece)]
        small = _open(pieces, b"", scale=8)
        for pad in _PADS[:2]:
            _check_identical(small, _open(pieces, pad, scale=8))


def _read_jpeg(data: bytes) -> _Jpeg:
    frame, width, height, restart_interval = 0, 0, 0, 0
    factors: dict[int, tuple[int, int]] = {}  # sampling of each component, across and down
    pieces: list[_Scan | Slice] = []
    for marker, body, whole in segments(data):
        if marker in FRAMES:
            frame = marker
            height, width, count = struct.unpack_from(">HHB", body, 1)
            for at in range(6, 6 + 3 * count, 3):
                factors[body[at]] = (body[at + 1] >> 4, body[at + 1] & 15)
        if marker == _DRI:
            (restart_interval,) = struct.unpack(">H", body)
        if marker != _SOS:
            pieces.append(whole)
            continue
        names, (first, last, bits) = body[1:-3:2], body[-3:]
        if len(names) != body[0] or len(body) != 4 + 2 * len(names) or not {*names} <= {*factors}:
            raise Malformed
        across, down = (max(of_component) for of_component in zip(*factors.values(), strict=True))
        horizontal, vertical = factors[names[0]] if len(names) == 1 else (1, 1)
        head = 4 + len(body)
        markers = [*_RESTART.finditer(whole, head)]
        edges = [head, *(edge for marker in markers for edge in marker.span()), len(whole)]
        columns = -(-width * horizontal // (8 * across))
        rows = -(-height * vertical // (8 * down))
        pieces.append(
            _Scan(
                head=whole[:head],
                intervals=[whole[at:end] for at, end in zip(edges[::2], edges[1::2], strict=True)],
                restarts=[marker[1][0] & 7 for marker in markers],
                units_in_interval=restart_interval or columns * rows,
                columns=columns,
                rows=rows,
                unit=(8 * across // horizontal, 8 * down // vertical),
                components=names,
                coefficients=range(first, last + 1) if frame == PROGRESSIVE else range(64),
                missing_bits=bits & 15 if frame == PROGRESSIVE else 0,
            )
        )
    return _Jpeg(frame=frame, components=bytes(factors), pieces=pieces)


def _has_its_restarts(scan: _Scan) -> bool:
    """Return whether every restart marker is there, in order; encoders may add one at the end."""
    needed = -(-scan.columns * scan.rows // scan.units_in_interval) - 1
    if len(scan.restarts) == needed + 1 and not scan.intervals[-1]:
        needed += 1
    return scan.restarts == [number % 8 for number in range(needed)]


def _is_all_coded(jpeg: _Jpeg) -> bool:
    """Return whether the scans cover the whole picture (progressive.

    All bits of 64 coefficients).
    """
    missing: dict[tuple[int, int], int] = {}
    for scan in jpeg.scans:
        for component in scan.components:
            missing |= dict.fromkeys(product([component], scan.coefficients), scan.missing_bits)
    return len(missing) == 64 * len(jpeg.components) and not any(missing.values())


def _has_grey_end(scan: _Scan, image: Image.Image) -> bool:
    """Return whether an interval ends in the grey that libjpeg fills in for missing data."""
    units, step, (wide, high) = scan.columns * scan.rows, scan.units_in_interval, scan.unit
    for unit in (*range(step - 1, units - 1, step), units - 1):
        row, column = divmod(unit, scan.columns)
        left, top = column * wide, row * high
        x = min(left + wide // 2, image.width - 1)
        y = min(top + high // 2, image.height - 1)
        spot = image.crop((x, y, min(x + 3, image.width), min(y + 3, image.height)))
        # A single row or column of the unit takes some colour from its neighbours.
        tolerance = 2 if x > left and y > top else 60
        if all(abs(value - 128) <= tolerance for value in spot.tobytes()):
            return True
    return False


def _has_mean_colours(piece: _Scan | Slice) -> bool:
    """Return whether a piece is needed to decode the mean colours (DC coefficients)."""
    return not isinstance(piece, _Scan) or 0 in piece.coefficients


def _open(pieces: Iterable[_Scan | Slice], pad: bytes, scale: int = 1) -> Image.Image:
    """Open the picture of these pieces, with ``pad`` inserted after each interval of a scan."""
    data = io.BytesIO()
    data.write(b"\xff\xd8")
    for piece in pieces:
        if not isinstance(piece, _Scan):
            data.write(piece)
            continue
        data.write(piece.head)
        for interval, number in zip_longest(piece.intervals, piece.restarts):
            data.write(bytes(interval).rstrip(b"\xff") + pad if pad else interval)
            if number is not None:
                data.write(bytes((0xFF, 0xD0 | number)))
    data.seek(0)
    image = Image.open(data, formats=("JPEG",))
    image.draft(None, (-(-image.width // scale), -(-image.height // scale)))
    return image


def _check_identical(one: Image.Image, other: Image.Image) -> None:
    """Raise ``Malformed`` if the pictures differ anywhere."""
    for top in range(0, one.height, _STRIP):
        box = (0, top, one.width, min(top + _STRIP, one.height))
        if ImageChops.difference(one.crop(box), other.crop(box)).getbbox():
            raise Malformed


# --- PNG ------------------------------------------------------------------------------------------

_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # in a pixel, by colour type
_WHOLE = ((0, 0, 1, 1),)
_ADAM7 = (
    *((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4)),
    *((0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)),
)


def _check_png(data: bytes, image: Image.Image) -> None:
    chunks = [*png.chunks(data)]
    if not all(png.is_whole(chunk) for _, chunk in chunks):
        raise Malformed
    header = next(chunk[8:-4] for name, chunk in chunks if name == b"IHDR")
    is_interlaced = header[-1] != 0
    last_row = image.crop((0, image.height - 1, image.width, image.height))
    if is_interlaced or not any(last_row.tobytes()):
        _check_unpacked_size(
            _unpacked_size(header), [chunk[8:-4] for name, chunk in chunks if name == b"IDAT"]
        )


def _check_unpacked_size(size: int, pieces: Iterable[memoryview]) -> None:
    """Raise ``Malformed`` if the zlib stream holds less: Pillow ignores that after any row."""
    unpacker = zlib.decompressobj()
    for piece in pieces:
        packed: Slice = piece
        while packed and not unpacker.eof:
            size -= len(unpacker.decompress(packed, _PIECE))
            if size <= 0:
                return
            packed = unpacker.unconsumed_tail
    raise Malformed


def _unpacked_size(header: Slice) -> int:
    """Return how many bytes the pixels of a PNG take, with filter bytes, by its IHDR."""
    width, height, bits, colour_type, _, _, is_interlaced = struct.unpack(">IIBBBBB", header)
    size = 0
    for left, top, across, down in _ADAM7 if is_interlaced else _WHOLE:
        columns, rows = -(-(width - left) // across), -(-(height - top) // down)
        if columns > 0 and rows > 0:
            size += rows * (1 + -(-columns * bits * _SAMPLES[colour_type] // 8))
    return size
