"""What is no photo, or too much of one, is refused with words; damage raises nothing else."""

import io
import struct
import subprocess
import sys
import time
import tracemalloc
import zlib
from typing import BinaryIO

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from swaps import images
from swaps.images import ImageRefused
from swaps.images.decoders import HAS_HEIC
from tests.paths import ROOT
from tests.pictures import (
    MP,
    PLAIN_MODES,
    RED,
    accepted,
    header,
    opened,
    png,
    quarters,
    refused,
    samples,
    with_orientation,
    written,
)


def bmff(*brands: bytes) -> bytes:
    return struct.pack(">I4s", 8 + 4 * len(brands), b"ftyp") + b"".join(brands) + bytes(64)


@pytest.mark.parametrize(
    ("data", "code", "shown"),
    [
        (b"", "empty", "empty"),
        (b"hello", "not_an_image", "not a picture"),
        (b"\0" * 100, "not_an_image", "not a picture"),
        (b"<!DOCTYPE html><p>", "not_an_image", "web page"),
        (b"%PDF-1.7", "not_an_image", "PDF"),
        (b"PK\x03\x04abc", "not_an_image", "ZIP"),
        (bmff(b"mp42", b"\0\0\0\0", b"isom"), "not_an_image", "video"),
        (b'\xef\xbb\xbf<?xml version="1.0"?>\n<SVG></SVG>', "unsupported_type", "SVG"),
        (written(quarters(), "GIF"), "unsupported_type", "GIF"),
        (written(quarters(), "BMP"), "unsupported_type", "BMP"),
        (written(quarters(), "TIFF"), "unsupported_type", "TIFF"),
        (written(quarters(), "JPEG2000"), "unsupported_type", "JPEG 2000"),
        (written(quarters(), "AVIF"), "unsupported_type", "AVIF"),
        (written(quarters(), "ICO"), "unsupported_type", "ICO"),
    ],
)
def test_other_types_are_named(data: bytes, code: str, shown: str) -> None:
    refusal = refused(data)
    assert refusal.code == code
    assert shown in refusal.message
    if code == "unsupported_type":
        assert "JPEG, PNG" in refusal.message


WITHOUT_HEIF = """
import importlib.util, sys
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name == "pillow_heif" else find(name, *more)
from swaps import images
assert "image/heic" not in images.ACCEPTED_CONTENT_TYPES
try:
    images.open_photo(bytes.fromhex(sys.argv[1]), max_pixels=1)
except images.ImageRefused as refusal:
    print(refusal.code, refusal.message)
"""


def test_without_pillow_heif_a_heic_picture_is_asked_for_as_jpeg() -> None:
    data = bmff(b"heic", b"\0\0\0\0", b"mif1", b"heic")
    command = [sys.executable, "-c", WITHOUT_HEIF, data.hex()]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.startswith("unsupported_type ")
    assert "Save it as JPEG" in found.stdout


@pytest.mark.skipif(not HAS_HEIC, reason="pillow-heif is optional")
def test_with_pillow_heif_a_heic_picture_is_a_photo() -> None:
    import pillow_heif

    pillow_heif.register_heif_opener()
    data = written(quarters((96, 64)), "HEIF", quality=95, exif=with_orientation(6).tobytes())
    image = opened(data)
    assert image.size == (64, 96)
    assert not image.info
    assert accepted(data).content_type == "image/jpeg"
    assert refused(data[:-9]).code == "broken"
    with pytest.raises(ImageRefused, match="megapixels"):
        images.open_photo(data, max_pixels=100)


@pytest.mark.parametrize("format", ["PNG", "WEBP"])
def test_an_animation_is_refused(format: str) -> None:  # noqa: A002
    frames = [quarters(), Image.new("RGB", (48, 32))]
    refusal = refused(written(frames[0], format, save_all=True, append_images=frames[1:]))
    assert refusal.code == "animated"
    assert "still picture" in refusal.message


def bombs() -> dict[str, bytes]:
    huge_webp = bytearray(samples()["webp extended"])
    at = huge_webp.index(b"VP8X") + 12
    huge_webp[at : at + 6] = (16_000 - 1).to_bytes(3, "little") * 2
    jpeg = written(quarters(), "JPEG")
    at = jpeg.index(b"\xff\xc0") + 5
    return {
        "png": png(header(100_000, 100_000), (b"IDAT", b""), (b"IEND", b"")),
        "png of lies": png(header(1, 1), header(100_000, 9), (b"IDAT", b""), (b"IEND", b"")),
        "webp": bytes(huge_webp),
        "jpeg": jpeg[:at] + b"\xfd\xe8\xfd\xe8" + jpeg[at + 4 :],
    }


@pytest.mark.parametrize("name", ["png", "png of lies", "webp", "jpeg"])
def test_a_decompression_bomb_is_not_even_tried(name: str) -> None:
    data = bombs()[name]
    tracemalloc.start()
    start = time.process_time()
    refusal = refused(data)
    assert time.process_time() - start < 0.5
    assert tracemalloc.get_traced_memory()[1] < 2 * MP
    tracemalloc.stop()
    assert refusal.code == ("broken" if name == "png of lies" else "too_many_pixels")


@pytest.mark.parametrize("max_pixels", [300 * MP, 10**12])
def test_no_setting_goes_beyond_pillows_own_limit(max_pixels: int) -> None:
    data = png(header(20_000, 10_000), (b"IDAT", b""), (b"IEND", b""))
    with pytest.raises(ImageRefused, match=r"200 megapixels; 89\.4 is the most"):
        images.open_photo(data, max_pixels=max_pixels)


def test_whatever_size_a_header_claims_is_written_out() -> None:
    data = png(header(2_000_001, 1_000_001), (b"IDAT", b""), (b"IEND", b""))
    with pytest.raises(ImageRefused, match=r"1,000,001 = 2,000,003\.1 megapixels; 50 is"):
        images.open_photo(data, max_pixels=50 * MP)


def test_text_that_unpacks_to_gigabytes_is_never_unpacked() -> None:
    bomb = zlib.compress(bytes(50 * MP))
    rest = samples()["png"][33:]
    extra = png(
        *[(b"zTXt", b"a\0\0" + bomb), (b"iTXt", b"a\0\1\0\0\0" + bomb)] * 9,
        (b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + bomb),
        (b"iCCP", b"a\0\0" + bomb),
    )[8:]
    data = samples()["png"][:33] + extra + rest
    tracemalloc.start()
    assert opened(data).size == (16, 24)
    assert tracemalloc.get_traced_memory()[1] < 20 * MP
    tracemalloc.stop()


def test_a_jpeg_of_thousands_of_scans_is_refused() -> None:
    """Each scan of a few bytes costs the decoder a pass over the whole picture."""
    data = written(Image.new("RGB", (64, 64), RED), "JPEG", progressive=True)
    scan = data[data.rindex(b"\xff\xda") : -2]
    assert opened(data[:-2] + scan * 20 + data[-2:]).size == (64, 64)
    assert refused(data[:-2] + scan * 200 + data[-2:]).code == "broken"


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xd8\xff" + b"\xff\xfe\0\2" * 2_000_000,
        png(header(8, 8)) + png((b"tEXt", b""))[8:] * 500_000,
        b"RIFF" + struct.pack("<I", 4 + 8 * MP) + b"WEBP" + b"JUNK\0\0\0\0" * MP,
    ],
    ids=["jpeg", "png", "webp"],
)
def test_millions_of_empty_parts_are_not_walked_through(data: bytes) -> None:
    start = time.process_time()
    assert refused(data).code == "broken"
    assert time.process_time() - start < 0.5


@pytest.mark.parametrize("name", samples())
def test_a_file_cut_off_anywhere_is_refused(name: str) -> None:
    data = samples()[name]
    if name == "mpo":  # the first picture is all that counts
        data = data[: data.index(b"\xff\xd9\xff\xd8") + 2]
    for length in range(len(data)):
        try:
            image = opened(data[:length])
        except ImageRefused as refusal:
            assert refusal.code in {"empty", "not_an_image", "broken"}  # noqa: PT017
        else:  # nothing but an end marker, and bits that change nothing, is missing
            assert length >= len(data) - 12
            assert image.tobytes() == opened(data).tobytes()


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    data = bytearray(samples()[draw(st.sampled_from(sorted(samples())))])
    for at in draw(st.lists(st.integers(0, len(data) - 1), min_size=1, max_size=8)):
        data[at] = draw(st.integers(0, 255))
    if draw(st.booleans()):
        start, length = draw(st.integers(0, len(data) - 1)), draw(st.integers(0, 40))
        data[start : start + length] = draw(st.binary(max_size=40))
    return bytes(data)


@given(damaged())
@example(b"\xff\xd8\xff\xe0\x00\x00")
@example(b"RIFF\x04\x00\x00\x00WEBP")
@example(b"\x00\x00\x00\x02ftyp")
def test_damage_never_raises_anything_but_a_refusal(data: bytes) -> None:
    try:
        image = opened(data)
    except ImageRefused as refusal:
        assert refusal.message  # noqa: PT017  either way is right
        return
    assert image.mode in PLAIN_MODES
    assert not image.info
    assert image.width * image.height <= MP


@given(st.binary(max_size=300), st.sampled_from(sorted(samples())), st.integers(4, 60))
def test_a_good_start_with_noise_behind_it_is_refused(noise: bytes, name: str, kept: int) -> None:
    with pytest.raises(ImageRefused):
        opened(samples()[name][:kept] + noise)


class Breaking(io.BytesIO):
    """A file that breaks when it is read."""

    def __init__(self, data: bytes, error: Exception | None = None) -> None:
        super().__init__(data)
        self.error = error

    def read(self, size: int | None = -1, /) -> bytes:
        if self.error:
            raise self.error
        return super().read(size)


def accept_from(upload: BinaryIO, size: int, max_bytes: int) -> str:
    with pytest.raises(ImageRefused) as refusal:
        images.accept(upload, size=size, max_bytes=max_bytes, max_pixels=MP)
    return refusal.value.code


def test_the_announced_size_is_not_believed() -> None:
    data = samples()["jpeg"]
    assert accept_from(io.BytesIO(data), size=5, max_bytes=100) == "too_many_bytes"
    assert accept_from(io.BytesIO(b""), size=5, max_bytes=100) == "empty"
    assert accept_from(io.BytesIO(data), size=0, max_bytes=10 * MP) == "empty"
    assert accept_from(Breaking(b"", OSError("/tmp/x")), size=5, max_bytes=100) == "broken"
    assert images.accept(io.BytesIO(data), size=7, max_bytes=10 * MP, max_pixels=MP).width == 16


def test_a_file_that_is_too_big_is_not_read() -> None:
    unread = Breaking(b"", AssertionError("was read"))
    assert accept_from(unread, size=101, max_bytes=100) == "too_many_bytes"


def test_messages_say_what_is_wrong_and_what_to_do() -> None:
    data = png(header(8_000, 9_000), (b"IDAT", b""), (b"IEND", b""))
    with pytest.raises(ImageRefused) as refusal:
        images.open_photo(data, max_pixels=50 * MP)
    assert refusal.value.message == (
        "It is 8,000 × 9,000 = 72 megapixels; 50 is the most. Make it smaller and try again."
    )
    with pytest.raises(ImageRefused) as refusal:
        images.accept(io.BytesIO(), size=20 * MP + 1, max_bytes=20 * MP, max_pixels=MP)
    assert refusal.value.message == (
        "It is 20.1 MB; 20 MB is the most. Save it smaller and try again."
    )
    assert refused(samples()["png"][:99]).message.startswith("It is damaged or incomplete.")
