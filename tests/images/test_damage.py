"""Damaged files: shown wholly, or refused. Never silently less, which is grey in a JPEG."""

import io
import random
import struct
import zlib
from functools import cache
from typing import Any

import pytest
from PIL import Image, ImageChops

from swaps import images
from swaps.images import ImageRefused
from swaps.images.reencode import reencode
from tests.paths import CASES, OTHER
from tests.pictures import MP, accepted, opened, png, quarters, refused, written

ADAM7 = (
    *((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4)),
    *((0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)),
)


def face(size: tuple[int, int] = (123, 91)) -> Image.Image:
    with Image.open(OTHER) as photo:
        return photo.convert("RGB").resize(size)


@cache
def jpegs() -> dict[str, bytes]:
    kinds: dict[str, dict[str, Any]] = {
        "baseline": {},
        "4:4:4": {"subsampling": 0, "optimize": True},
        "restarts by row": {"restart_marker_rows": 1},
        "restarts by unit": {"restart_marker_blocks": 1},
        "restarts anywhere": {"restart_marker_blocks": 3},
        "progressive": {"progressive": True},
        "progressive with restarts": {"progressive": True, "restart_marker_rows": 1},
    }
    files = {name: written(face(), "JPEG", **options) for name, options in kinds.items()}
    files["grey"] = written(face().convert("L"), "JPEG")
    files["cmyk"] = written(face().convert("CMYK"), "JPEG")
    return files


def scan_of(data: bytes) -> range:
    """Where the data of the first scan begins, and where the file ends."""
    start = data.index(b"\xff\xda")
    return range(start + 2 + int.from_bytes(data[start + 2 : start + 4]), len(data) - 2)


def opened_or_none(data: bytes) -> Image.Image | None:
    try:
        return opened(data)
    except ImageRefused as refusal:
        assert refusal.code == "broken"  # noqa: PT017  either way is right
        return None


def grey_blocks(image: Image.Image, whole: Image.Image) -> int:
    """How many blocks are the grey of what is missing, and were not so before."""
    image, whole = image.convert("RGB"), whole.convert("RGB")
    boxes = [
        (x, y, x + 8, y + 8)
        for y in range(0, image.height - 7, 8)
        for x in range(0, image.width - 7, 8)
    ]
    return sum(
        all(abs(value - 128) <= 2 for value in image.crop(box).tobytes())
        and ImageChops.difference(image.crop(box), whole.crop(box)).getbbox() is not None
        for box in boxes
    )


# --- One bad byte ---------------------------------------------------------------------------------


def test_a_scan_with_a_marker_in_it_is_refused() -> None:
    assert refused((CASES / "one-bad-byte.jpg").read_bytes()).code == "broken"


@pytest.mark.parametrize("name", jpegs())
def test_a_bad_byte_anywhere_leaves_nothing_grey(name: str) -> None:
    data = jpegs()[name]
    whole = opened(data)
    dice = random.Random(name)
    for _ in range(150):
        damaged = bytearray(data)
        at = dice.choice(scan_of(data))
        damaged[at] = dice.choice((0, 0xFF, damaged[at] ^ 1 << dice.randrange(8)))
        image = opened_or_none(bytes(damaged))
        # One block may have become that grey by chance: all bits of it are there.
        assert image is None or grey_blocks(image, whole) <= 1


@pytest.mark.parametrize(
    "marker", [0x01, 0xC0, 0xC4, 0xD0, 0xD3, 0xD8, 0xD9, 0xDA, 0xDD, 0xE1, 0xFE]
)
@pytest.mark.parametrize("name", ["baseline", "restarts by row", "progressive"])
def test_a_stray_marker_is_refused(name: str, marker: int) -> None:
    data = jpegs()[name]
    scan = scan_of(data)
    for at in range(scan[9], scan[-99], len(scan) // 9):
        damaged = data[:at] + bytes((0xFF, marker)) + data[at + 2 :]
        assert refused(damaged).code == "broken"


def test_restart_markers_come_in_their_turn() -> None:
    data = jpegs()["restarts by row"]
    first, second = data.index(b"\xff\xd0"), data.index(b"\xff\xd1")
    assert refused(data[: first + 1] + b"\xd5" + data[first + 2 :]).code == "broken"
    assert refused(data[:first] + data[first + 2 :]).code == "broken"
    assert refused(data[:first] + data[second:]).code == "broken"
    last = len(jpegs()["restarts by row"].split(b"\xff\xda")[1].split(b"\xff\xd0"))
    assert last > 1
    extra = opened(data[:-2] + bytes((0xFF, 0xD0 + (-(-91 // 16) - 1) % 8)) + data[-2:])
    assert extra.tobytes() == opened(data).tobytes()


@pytest.mark.parametrize("name", ["restarts by row", "baseline"])
def test_a_part_whose_data_ends_early_is_refused(name: str) -> None:
    data = jpegs()[name]
    end = data.index(b"\xff\xd2") if "restarts" in name else len(data) - 2
    assert refused(data[: end - 60] + data[end:]).code == "broken"


@pytest.mark.parametrize("size", [(64, 64), (65, 65), (1, 1), (9, 30)])
@pytest.mark.parametrize("options", [{}, {"restart_marker_blocks": 1}, {"progressive": True}])
def test_a_picture_that_is_grey_is_not_taken_for_damaged(
    size: tuple[int, int], options: dict[str, Any]
) -> None:
    for grey in (Image.new("RGB", size, (128,) * 3), Image.new("L", size, 128)):
        assert opened(written(grey, "JPEG", **options)).tobytes() == grey.tobytes()


def test_a_progressive_picture_without_its_last_scans_is_refused() -> None:
    data = jpegs()["progressive"]
    last = data.rindex(b"\xff\xda")
    assert refused(data[: data.rindex(b"\xff\xc4", 0, last)] + b"\xff\xd9").code == "broken"


# --- Cut files ------------------------------------------------------------------------------------


def test_a_jpeg_without_its_end_marker_is_accepted_whole() -> None:
    data = (CASES / "no-eoi.jpg").read_bytes()
    whole = opened(data + b"\xff\xd9")
    assert opened(data).tobytes() == opened(data + b"\xff").tobytes() == whole.tobytes()
    assert accepted(data).data == accepted(data + b"\xff\xd9").data


@pytest.mark.parametrize("name", jpegs())
def test_a_cut_jpeg_is_whole_or_refused(name: str) -> None:
    data = jpegs()[name]
    whole = opened(data).tobytes()
    assert opened(data[:-1]).tobytes() == opened(data[:-2]).tobytes() == whole
    scan = scan_of(data)
    for length in (*range(scan[0], scan[-1], len(scan) // 40), *range(scan[-1] - 25, scan[-1])):
        assert opened_or_none(data[:length]) is None
        cut_and_closed = opened_or_none(data[:length] + b"\xff\xd9")
        assert cut_and_closed is None or grey_blocks(cut_and_closed, opened(data)) <= 1


def test_large_photos_are_looked_at_as_closely() -> None:
    data = written(face((1800, 1300)), "JPEG", restart_marker_rows=1)
    at = scan_of(data)[len(data) // 2]
    closed = data[:-2]

    def in_a_child(upload: bytes) -> images.Photo:
        return images.accept(io.BytesIO(upload), size=1, max_bytes=30 * MP, max_pixels=50 * MP)

    assert in_a_child(closed) == in_a_child(data) == reencode(data, max_pixels=50 * MP)
    for damaged in (data[:at], data[:at] + b"\xff\xd9", data[:at] + b"\xff\xe1" + data[at + 2 :]):
        with pytest.raises(ImageRefused, match="damaged or incomplete"):
            in_a_child(damaged)


# --- PNG and WebP ---------------------------------------------------------------------------------


def png_of_rows(rows: int, *, is_interlaced: bool = False) -> bytes:
    """16 × 16, and a stream that is whole but for its last rows."""
    passes = ADAM7 if is_interlaced else ((0, 0, 1, 1),)
    lines = [
        b"\0" + b"\xc8\x64\x32" * -(-(16 - left) // across)
        for left, top, across, down in passes
        for _ in range(top, 16, down)
    ]
    head = struct.pack(">IIBBBBB", 16, 16, 8, 2, 0, 0, is_interlaced)
    stream = zlib.compress(b"".join(lines[: len(lines) - 16 + rows]))
    return png((b"IHDR", head), (b"IDAT", stream), (b"IEND", b""))


@pytest.mark.parametrize("is_interlaced", [False, True])
def test_a_png_with_fewer_rows_than_it_says_is_refused(*, is_interlaced: bool) -> None:
    assert opened(png_of_rows(16, is_interlaced=is_interlaced)).getextrema()[0] == (200, 200)
    for rows in range(16):
        assert refused(png_of_rows(rows, is_interlaced=is_interlaced)).code == "broken"


def test_a_png_that_is_black_at_its_end_is_whole() -> None:
    for mode in ("RGB", "L", "1", "P", "I;16"):
        assert opened(written(Image.new(mode, (99, 99)))).getbbox() is None


def test_a_png_with_a_bad_byte_anywhere_is_refused() -> None:
    data = written(face())
    for at in range(data.index(b"IDAT"), len(data), 97):
        assert refused(data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :]).code == "broken"
    at = len(data) - 17  # the stream's own checksum
    assert refused(data[:at] + b"\0" + data[at + 1 :]).code == "broken"


def test_a_png_without_its_end_chunk_is_accepted_whole() -> None:
    data = written(face())
    assert data[-8:-4] == b"IEND"
    for missing in (1, 4, 8, 12):
        assert opened(data[:-missing]).tobytes() == face().tobytes()
    for missing in (13, 16, 99):
        assert refused(data[:-missing]).code == "broken"


@pytest.mark.parametrize("options", [{}, {"lossless": True}])
def test_a_cut_webp_is_refused_even_if_its_sizes_were_mended(options: dict[str, Any]) -> None:
    data = written(quarters((99, 99)), "WEBP", **options)
    for length in range(40, len(data) - 2, 7):
        cut = data[:4] + struct.pack("<I", length - 8) + data[8:16]
        assert refused(data[:length]).code == "broken"
        assert refused(cut + struct.pack("<I", length - 20) + data[20:length]).code == "broken"
