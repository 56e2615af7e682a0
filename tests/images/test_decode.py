"""Pixels as a viewer shows them: upright, in sRGB, whatever the file. Every byte is a real file."""

import struct
import zlib

import pytest
from PIL import Image

from swaps import images
from tests.pictures import (
    BLUE,
    GREEN,
    GREY,
    LIGHT_GREY,
    P3,
    PLAIN_MODES,
    RED,
    accepted,
    corners,
    deep_png,
    header,
    is_near,
    jpeg_with,
    opened,
    png,
    quarters,
    reopened,
    with_orientation,
    written,
)


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
