"""Every byte here is a real file, made on the spot: by Pillow, or by hand where Pillow cannot."""

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
from swaps.images import ImageRefused, containers
from swaps.images.decoders import HAS_HEIC
from tests.paths import ROOT
from tests.pictures import (
    BLUE,
    GREEN,
    GREY,
    LIGHT_GREY,
    MP,
    P3,
    PLAIN_MODES,
    RED,
    SECRET,
    accepted,
    corners,
    deep_png,
    everything_private,
    header,
    is_near,
    jpeg_with,
    opened,
    png,
    quarters,
    refused,
    reopened,
    samples,
    with_orientation,
    written,
)

# --- Pictures to test with ------------------------------------------------------------------------


# --- Pixels ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_a_photo_stands_upright(format: str, orientation: int) -> None:  # noqa: A002
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    turned = quarters() if orientation == 1 else quarters().transpose(undo[orientation])
    data = written(turned, format, exif=with_orientation(orientation), quality=95)
    image = opened(data)
    assert image.size == (48, 32)
    assert images.dimensions(data) == (48, 32)
    for got, wanted in zip(corners(image), (RED, GREEN, BLUE, GREY), strict=True):
        assert is_near(got, wanted, by=12)


@pytest.mark.parametrize("endian", ["<", ">"])
def test_the_orientation_is_read_in_both_byte_orders(endian: str) -> None:
    mark = b"II" if endian == "<" else b"MM"
    exif = mark + struct.pack(f"{endian}HIHHHIHHI", 42, 8, 1, 0x0112, 3, 1, 6, 0, 0)
    assert opened(jpeg_with((0xE1, b"Exif\0\0" + exif))).size == (32, 48)


@pytest.mark.parametrize(
    "exif",
    [
        b"",
        b"II",
        b"II*\0\xff\xff\xff\xff",
        b"MM\0*\0\0\0\x08\xff\xff",
        struct.pack("<2sHIHHHIHH", b"II", 42, 8, 1, 0x0112, 3, 1, 9, 0),
        struct.pack("<2sHIHHHII", b"II", 42, 8, 1, 0x0112, 5, 1, 6),
        struct.pack("<2sHIHHHIHH", b"II", 42, 8, 1, 0x0112, 3, 999, 6, 0),
        b"\xff" * 60_000,
    ],
)
def test_broken_exif_is_no_reason_to_refuse(exif: bytes) -> None:
    assert opened(jpeg_with((0xE1, b"Exif\0\0" + exif))).size == (48, 32)


def test_huge_exif_costs_nothing() -> None:
    data = jpeg_with(*[(0xE1, b"Exif\0\0" + bytes(65_000))] * 100)
    assert opened(data).size == (48, 32)


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P", "1", "LA"])
def test_every_png_mode_keeps_its_colours(mode: str) -> None:
    picture = quarters().convert(mode)
    image = opened(written(picture))
    assert image.mode in PLAIN_MODES
    assert not image.info
    assert type(image) is Image.Image
    for got, wanted in zip(corners(image), corners(picture.convert("RGB")), strict=True):
        assert is_near(got, wanted)


@pytest.mark.parametrize("mode", ["L", "1", "LA"])
def test_grey_stays_grey(mode: str) -> None:
    image = opened(written(Image.new("L", (8, 8), 255).convert(mode)))
    assert image.mode == "L"


def test_a_grey_jpeg_stays_grey() -> None:
    assert opened(written(Image.new("L", (8, 8), 100), "JPEG")).mode == "L"


@pytest.mark.parametrize("format", ["PNG", "WEBP"])
def test_alpha_is_kept_unless_it_is_opaque_everywhere(format: str) -> None:  # noqa: A002
    picture = quarters().convert("RGBA")
    assert opened(written(picture, format, lossless=True)).mode == "RGB"
    picture.putpixel((5, 5), (*RED, 254))
    image = opened(written(picture, format, lossless=True))
    assert image.mode == "RGBA"
    assert image.getpixel((5, 5)) == (*RED, 254)


def test_transparency_in_a_palette_is_kept() -> None:
    picture = quarters().quantize(8)
    clear = picture.getpixel((3, 3))
    image = opened(written(picture, transparency=clear))
    assert image.mode == "RGBA"
    assert image.getpixel((3, 3))[3] == 0  # type: ignore[index]
    assert is_near(image.getpixel((40, 3)), (*GREEN, 255))


def test_a_transparent_colour_is_kept() -> None:
    image = opened(written(quarters(), transparency=RED))
    assert image.getpixel((3, 3)) == (255, 255, 255, 0)
    assert image.getpixel((40, 3)) == (*GREEN, 255)


@pytest.mark.parametrize(
    ("deep", "shown"), [(0, 0), (257, 1), (32896, 128), (65535, 255), (300, 1)]
)
def test_16_bit_grey_is_scaled_and_not_clipped(deep: int, shown: int) -> None:
    image = opened(written(Image.new("I;16", (8, 8), deep)))
    assert (image.mode, image.getpixel((3, 3))) == ("L", shown)


def test_16_bit_colour_is_scaled() -> None:
    image = opened(deep_png(2, *(32896, 65535, 0) * 8))
    assert (image.mode, image.getpixel((3, 3))) == ("RGB", (128, 255, 0))


def test_16_bit_with_alpha_is_scaled() -> None:
    row = b"\0" + struct.pack(">2H", 32896, 32896) * 8
    image = opened(png(header(8, 8, 16, 4), (b"IDAT", zlib.compress(row * 8)), (b"IEND", b"")))
    assert (image.mode, image.getpixel((3, 3))) == ("RGBA", (128, 128, 128, 128))


@pytest.mark.parametrize(
    ("ink", "rgb"),
    [
        ((0, 255, 255, 0), (255, 0, 0)),
        ((255, 0, 255, 0), (0, 255, 0)),
        ((0, 0, 0, 155), (100, 100, 100)),
        ((0, 0, 0, 0), (255, 255, 255)),
    ],
)
def test_cmyk_has_the_right_colours(ink: tuple[int, ...], rgb: tuple[int, ...]) -> None:
    data = written(Image.new("CMYK", (16, 16), ink), "JPEG", quality=100)
    image = opened(data)
    assert image.mode == "RGB"
    assert is_near(image.getpixel((8, 8)), rgb)


def test_ycck_has_the_right_colours() -> None:
    """Adobe's other way to store CMYK: the inks as if they were red, green and blue, in YCbCr."""
    coded = Image.new("RGB", (1, 1), (0, 255, 255)).convert("YCbCr").getpixel((0, 0))
    stored = (*(255 - value for value in coded), 0)  # type: ignore[union-attr]
    data = written(Image.new("CMYK", (16, 16), stored), "JPEG", quality=100)
    at = data.index(b"Adobe") + 11
    assert data[at] == 0
    image = opened(data[:at] + b"\x02" + data[at + 1 :])
    assert is_near(image.getpixel((8, 8)), (255, 0, 0))


def test_the_first_picture_of_a_multi_picture_file_is_taken() -> None:
    data = written(quarters(), "MPO", save_all=True, append_images=[Image.new("RGB", (9, 9))])
    assert reopened(data).format == "MPO"
    image = opened(data)
    assert image.size == (48, 32)
    assert accepted(data).content_type == "image/jpeg"


def linear(value: float) -> float:
    return float((value / 255) ** 2.2)


def srgb(value: float) -> int:
    value = min(1.0, max(0.0, value))
    return round(
        255 * (12.92 * value if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055)
    )


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_wide_colours_become_srgb(format: str) -> None:  # noqa: A002
    r, g, b = (linear(value) for value in (200, 100, 90))
    wanted = (  # linear Display P3 to linear sRGB, both D65
        srgb(1.2249 * r - 0.2247 * g),
        srgb(-0.0420 * r + 1.0419 * g),
        srgb(-0.0197 * r - 0.0786 * g + 1.0979 * b),
    )
    picture = Image.new("RGB", (16, 16), (200, 100, 90))
    data = written(picture, format, icc_profile=P3, quality=100)
    assert wanted[0] > 210
    assert is_near(opened(data).getpixel((8, 8)), wanted)
    assert is_near(reopened(accepted(data).data).getpixel((8, 8)), wanted, by=4)


def test_alpha_survives_the_change_of_colours() -> None:
    picture = Image.new("RGBA", (16, 16), (200, 100, 90, 77))
    red, _, _, alpha = opened(written(picture, icc_profile=P3)).getpixel((8, 8))  # type: ignore[misc]
    assert red > 210
    assert alpha == 77


def test_a_grey_profile_changes_greys() -> None:
    data = written(Image.new("L", (16, 16), 100), "JPEG", quality=100, icc_profile=LIGHT_GREY)
    image = opened(data)
    assert image.mode == "L"
    assert image.getpixel((8, 8)) == pytest.approx(srgb(100 / 255), abs=3)


@pytest.mark.parametrize("profile", [b"not a profile" * 9, P3[:200], b"\0" * 400, P3[:-60]])
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_a_broken_profile_is_left_out(format: str, profile: bytes) -> None:  # noqa: A002
    data = written(Image.new("RGB", (16, 16), RED), format, icc_profile=profile, quality=100)
    assert is_near(opened(data).getpixel((8, 8)), RED)


def test_a_profile_for_other_colours_is_left_out() -> None:
    data = written(Image.new("L", (16, 16), 100), "JPEG", icc_profile=P3)
    assert opened(data).getpixel((8, 8)) == 100


# --- What gets stored -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["jpeg", "png", "webp"])
def test_nothing_private_is_left_in_an_accepted_photo(name: str) -> None:
    data = everything_private()[name]
    assert SECRET in data
    photo = accepted(data)
    traces = [SECRET, SECRET[:8], b"Exif", b"eXIf", b"MM\0*", b"II*\0", b"ns.adobe", b"http"]
    traces += [b"iCCP", b"ICC_PROFILE", b"acsp", b"tEXt", b"zTXt", b"iTXt", b"pHYs", b"\xff\xed"]
    assert [trace for trace in traces if trace in photo.data] == []
    assert set(reopened(photo.data).info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


@pytest.mark.parametrize(
    ("name", "content_type", "extension"),
    [
        ("jpeg", "image/jpeg", ".jpg"),
        ("jpeg cmyk", "image/jpeg", ".jpg"),
        ("mpo", "image/jpeg", ".jpg"),
        ("png", "image/png", ".png"),
        ("png 16", "image/png", ".png"),
        ("webp", "image/jpeg", ".jpg"),
        ("webp lossless", "image/png", ".png"),
    ],
)
def test_photos_are_stored_as_jpeg_or_png(name: str, content_type: str, extension: str) -> None:
    data = samples()[name]
    photo = accepted(data)
    assert (photo.content_type, photo.extension) == (content_type, extension)
    assert (photo.width, photo.height) == images.dimensions(photo.data) == images.dimensions(data)
    assert photo.data != data
    assert Image.MIME[str(reopened(photo.data).format)] == content_type


def test_jpeg_is_stored_with_all_its_colour() -> None:
    photo = accepted(samples()["jpeg"])
    assert [layer[1:3] for layer in reopened(photo.data).layer] == [(1, 1)] * 3  # type: ignore[attr-defined]
    assert b"\xff\xc0" in photo.data  # baseline


def test_a_polyglot_loses_its_second_meaning() -> None:
    script = b"<script>alert(1)</script>"
    for data in (jpeg_with((0xFE, script)) + script, samples()["png"] + b"PK\x03\x04" + script):
        photo = accepted(data)
        assert script not in photo.data
        assert b"PK\x03\x04" not in photo.data


def test_one_pixel_is_a_picture() -> None:
    for format in ("JPEG", "PNG", "WEBP"):  # noqa: A001
        photo = accepted(written(Image.new("RGB", (1, 1), RED), format))
        assert (photo.width, photo.height) == (1, 1)
        assert reopened(images.thumbnail(photo.data)).size == (1, 1)


# --- Refusals -------------------------------------------------------------------------------------


def bmff(*brands: bytes) -> bytes:
    return struct.pack(">I4s", 8 + 4 * len(brands), b"ftyp") + b"".join(brands) + bytes(64)


@pytest.mark.parametrize(
    ("data", "code", "said"),
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
def test_other_types_are_named(data: bytes, code: str, said: str) -> None:
    refusal = refused(data)
    assert refusal.code == code
    assert said in refusal.message
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
        png(header(8, 8), *[(b"tEXt", b"")] * 500_000),
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


# --- Encoding -------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA", "La", "P", "CMYK", "1", "I;16"])
def test_any_picture_can_be_encoded_in_each_format(mode: str) -> None:
    picture = Image.new(mode, (8, 8))
    picture.info = {"comment": SECRET, "icc_profile": SECRET, "exif": SECRET, "dpi": (9, 9)}
    for data in (images.encode(picture, "jpeg"), images.encode(picture, "png")):
        assert SECRET not in data
    assert reopened(images.encode(picture, "webp")).size == (8, 8)
    assert picture.info["comment"] == SECRET


def test_alpha_becomes_white_in_a_jpeg() -> None:
    half = Image.new("RGBA", (16, 16), (0, 0, 0, 127))
    assert is_near(reopened(images.encode(half, "jpeg")).getpixel((8, 8)), (128,) * 3)
    assert reopened(images.encode(half, "png")).getpixel((8, 8)) == (0, 0, 0, 127)


def test_a_side_too_long_for_a_format_is_refused_with_advice() -> None:
    long = Image.new("L", (16_384, 1))
    with pytest.raises(ImageRefused, match=r"WebP allows 16,383 a side\. Choose another format"):
        images.encode(long, "webp")
    with pytest.raises(ImageRefused) as refusal:
        images.encode(Image.new("L", (1, 65_501)), "jpeg")
    assert refusal.value.code == "too_many_pixels"
    assert images.dimensions(images.encode(Image.new("L", (65_501, 1)), "png")) == (65_501, 1)
    assert images.dimensions(images.encode(Image.new("L", (65_500, 1)), "jpeg")) == (65_500, 1)


@pytest.mark.parametrize("format", ["jpeg", "png", "webp"])
def test_our_own_picture_becomes_another_type(format: images.Format) -> None:  # noqa: A002
    stored = images.encode(quarters(), "png")
    data = images.convert(stored, format)
    for got, wanted in zip(corners(reopened(data)), (RED, GREEN, BLUE, GREY), strict=True):
        assert is_near(got, wanted, by=12)
    assert images.convert(data, format) is data


@pytest.mark.parametrize(("size", "shown"), [((2000, 1000), (640, 320)), ((30, 60), (30, 60))])
@pytest.mark.parametrize("format", ["jpeg", "png"])
def test_a_thumbnail_is_a_small_webp(
    format: images.Format,  # noqa: A002
    size: tuple[int, int],
    shown: tuple[int, int],
) -> None:
    picture = quarters(size)
    for given_ in (picture, images.encode(picture, format)):
        small = reopened(images.thumbnail(given_))
        assert (small.format, small.size) == ("WEBP", shown)
        for got, wanted in zip(corners(small), (RED, GREEN, BLUE, GREY), strict=True):
            assert is_near(got, wanted, by=12)
    assert picture.size == size


def test_a_thumbnail_of_a_hair_is_a_pixel_wide() -> None:
    assert reopened(images.thumbnail(Image.new("L", (5000, 1)))).size == (640, 1)
    assert reopened(images.thumbnail(images.encode(Image.new("L", (5000, 1)), "jpeg"))).width == 640


def test_a_thumbnail_keeps_alpha_and_nothing_else() -> None:
    picture = Image.new("RGBA", (1500, 1500), (0, 0, 0, 100))
    data = images.encode(picture, "png", xmp=SECRET)
    small = images.thumbnail(data)
    assert reopened(small).getpixel((9, 9))[3] == 100  # type: ignore[index]
    assert SECRET not in small


def test_what_the_decoder_sees_has_no_metadata() -> None:
    for data in everything_private().values():
        if not data.startswith(b"RIFF"):
            assert SECRET not in containers.read(data).pixels


def test_dimensions_of_something_else_are_refused() -> None:
    with pytest.raises(ImageRefused):
        images.dimensions(b"GIF89a")
