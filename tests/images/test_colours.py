"""Colours as a colour-managed viewer shows them, and transparency. The viewer here is LittleCMS."""

import io
import struct
import zlib
from collections.abc import Iterable
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageCms

from swaps import images
from swaps.images.decoders import HAS_HEIC
from tests.paths import CASES
from tests.pictures import (
    GREEN,
    LIGHT_GREY,
    MP,
    RED,
    accepted,
    deep_png,
    header,
    jpeg_with,
    opened,
    png,
    quarters,
    reopened,
    written,
)

P3_CHROMATICITIES = (31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)


def case(name: str) -> bytes:
    return (CASES / name).read_bytes()


def every_colour() -> Image.Image:
    """A ramp of each channel against each other, darks included."""
    ramp = Image.linear_gradient("L").resize((96, 96))
    return Image.merge("RGB", (ramp, ramp.transpose(Image.Transpose.ROTATE_90), ramp.rotate(180)))


def shown(image: Image.Image, profile: bytes) -> Image.Image:
    """As a viewer shows it that believes the profile."""
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    target = ImageCms.createProfile("sRGB")
    return ImageCms.buildTransform(source, target, image.mode, "RGB").apply(image)


def difference(one: Image.Image, other: Image.Image) -> int:
    changes = ImageChops.difference(one.convert("RGB"), other.convert("RGB")).getextrema()
    return max(int(most) for _, most in changes)  # type: ignore[misc]


def with_chunks(image: Image.Image, *chunks: tuple[bytes, bytes]) -> bytes:
    data = written(image)
    return data[:33] + png(*chunks)[8:] + data[33:]


def gamma(encoding: float) -> tuple[bytes, bytes]:
    return b"gAMA", struct.pack(">I", round(encoding * 100_000))


CHRM = (b"cHRM", struct.pack(">8I", *P3_CHROMATICITIES))
CICP = (b"cICP", bytes([12, 13, 0, 1]))
SRGB = (b"sRGB", b"\0")


def iccp(profile: bytes) -> tuple[bytes, bytes]:
    return b"iCCP", b"a\0\0" + zlib.compress(profile)


# --- Colours told by numbers ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "profile"),
    [
        ("cicp-display-p3.png", "DisplayP3-v4.icc"),
        ("adobergb-exif-r03.jpg", "AdobeCompat-v4.icc"),
        pytest.param(
            "nclx-display-p3.heic",
            "DisplayP3-v4.icc",
            marks=pytest.mark.skipif(not HAS_HEIC, reason="pillow-heif is optional"),
        ),
    ],
)
def test_colours_without_a_profile_are_as_with_it(name: str, profile: str) -> None:
    image = opened(case(name))
    plain = reopened(case(name)).convert("RGB")
    assert difference(plain, shown(plain, case(profile))) > 30
    assert difference(image, shown(plain, case(profile))) <= 2
    assert difference(reopened(accepted(case(name)).data), image) <= 20  # JPEG


@pytest.mark.parametrize(
    ("chunks", "profile"),
    [
        ([CICP], "DisplayP3-v4.icc"),
        ([CICP, iccp(case("AdobeCompat-v4.icc"))], "DisplayP3-v4.icc"),
        ([CICP, SRGB], "DisplayP3-v4.icc"),
        ([CHRM], "DisplayP3-v4.icc"),
        ([gamma(0.45455), CHRM], "DisplayP3-v4.icc"),
        ([gamma(1.0)], "scRGB-v2.icc"),
        ([iccp(case("AdobeCompat-v4.icc")), gamma(1.0), CHRM], "AdobeCompat-v4.icc"),
        ([iccp(b"broken"), CHRM], "DisplayP3-v4.icc"),
        ([(b"cICP", bytes([2, 2, 0, 1])), iccp(case("DisplayP3-v4.icc"))], "DisplayP3-v4.icc"),
        ([(b"cICP", bytes([9, 14, 1, 1])), CHRM], "DisplayP3-v4.icc"),
    ],
)
def test_the_chunks_of_a_png_are_followed_in_order(
    chunks: list[tuple[bytes, bytes]], profile: str
) -> None:
    picture = every_colour()
    image = opened(with_chunks(picture, *chunks))
    assert not image.info
    assert difference(picture, shown(picture, case(profile))) > 30
    assert difference(image, shown(picture, case(profile))) <= 2


@pytest.mark.parametrize(
    "chunks",
    [
        [gamma(0.45455)],
        [SRGB, gamma(1.0), CHRM],
        [(b"cICP", bytes([1, 13, 0, 1]))],
        [(b"cICP", bytes([12, 13, 0]))],
        [(b"cICP", bytes([0, 0, 0, 1]))],
        [(b"cICP", bytes([12, 13, 0, 2]))],
        [(b"gAMA", b"")],
        [(b"gAMA", bytes(4))],
        [(b"gAMA", b"\xff" * 4)],
        [(b"cHRM", bytes(32))],
        [(b"cHRM", b"\xff" * 32)],
        [(b"cHRM", bytes(9))],
        [iccp(b"broken")],
    ],
)
def test_chunks_that_say_nothing_or_nonsense_change_nothing(
    chunks: list[tuple[bytes, bytes]],
) -> None:
    assert difference(opened(with_chunks(every_colour(), *chunks)), every_colour()) == 0


def test_a_chunk_with_a_wrong_checksum_is_left_out() -> None:
    data = with_chunks(every_colour(), CICP)
    at = data.index(b"cICP") + 8
    assert difference(opened(data[:at] + b"ABCD" + data[at + 4 :]), every_colour()) == 0


@pytest.mark.parametrize("transfer", [1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18])
@pytest.mark.parametrize("is_full", [0, 1])
def test_every_code_point_has_a_white_and_a_black_and_rises(transfer: int, is_full: int) -> None:
    low, high = (0, 255) if is_full else (16, 235)
    greys = [low + (high - low) * step // 8 for step in range(9)]
    picture = Image.merge("RGB", [Image.frombytes("L", (9, 1), bytes(greys))] * 3)
    image = opened(with_chunks(picture, (b"cICP", bytes([9, transfer, 0, is_full]))))
    reds = [image.getpixel((x, 0))[0] for x in range(9)]  # type: ignore[index]
    assert reds == sorted(reds)
    assert reds[0] <= 30  # the logarithmic ones have no black
    assert reds[-1] == 255


def test_rec_2020_is_wider_than_srgb() -> None:
    image = opened(
        with_chunks(Image.new("RGB", (4, 4), (90, 160, 60)), (b"cICP", bytes([9, 14, 0, 1])))
    )
    # BT.2087: linear BT.2020 to linear sRGB
    assert image.getpixel((1, 1)) == pytest.approx((0, 178, 52), abs=3)


@pytest.mark.parametrize("brightness", [100, 203, 1000])
def test_high_dynamic_range_keeps_its_order_of_brightness(brightness: int) -> None:
    light = (brightness / 10_000) ** (1305 / 8192)
    code = round(255 * ((107 / 128 + 2413 / 128 * light) / (1 + 2392 / 128 * light)) ** (2523 / 32))
    grey = Image.new("RGB", (4, 4), (code,) * 3)
    red = opened(with_chunks(grey, (b"cICP", bytes([1, 16, 0, 1])))).getpixel((0, 0))[0]  # type: ignore[index]
    assert red == pytest.approx({100: 157, 203: 190, 1000: 255}[brightness], abs=4)


def test_a_profile_that_is_called_srgb_and_is_not_is_believed() -> None:
    profile = case("scRGB-v2.icc").replace(b"cRGB\0", b"sRGB\0")
    picture = every_colour()
    assert difference(opened(written(picture, icc_profile=profile)), picture) > 30


# --- EXIF -----------------------------------------------------------------------------------------


def exif(order: str = "<", *, colour_space: int | None = 0xFFFF, index: bytes = b"R03\0") -> bytes:
    """The first directory, that of EXIF, and that of interoperability."""
    inner = [] if colour_space is None else [(0xA001, 3, 1, colour_space)]
    inner.append((0xA005, 4, 1, 26 + 2 + 12 * (len(inner) + 1) + 4))
    mark = b"II*\0" if order == "<" else b"MM\0*"

    def directory(entries: Iterable[tuple[int, int, int, int]]) -> bytes:
        packed = [
            struct.pack(f"{order}HHI", tag, kind, count)
            + struct.pack(f"{order}{'I' if kind == 4 else 'HH'}", *([value, 0][: 1 + (kind == 3)]))
            for tag, kind, count, value in entries
        ]
        return struct.pack(f"{order}H", len(packed)) + b"".join(packed) + bytes(4)

    first = directory([(0x8769, 4, 1, 26)])
    last = struct.pack(f"{order}HHHI", 1, 1, 2, 4) + index + bytes(4)
    return mark + struct.pack(f"{order}I", 8) + first + directory(inner) + last


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_adobe_rgb_is_recognised_by_exif_in_every_format(format: str, order: str) -> None:  # noqa: A002
    picture = Image.new("RGB", (16, 16), (90, 200, 60))
    wanted = shown(picture, case("AdobeCompat-v4.icc"))
    data = written(picture, format, exif=b"Exif\0\0" + exif(order), quality=100, lossless=True)
    assert difference(picture, wanted) > 30
    assert difference(opened(data), wanted) <= 3


@pytest.mark.parametrize(
    ("told", "is_adobe"),
    [
        (exif(colour_space=None), True),
        (exif(colour_space=2, index=b"\0\0\0\0"), True),
        (exif(colour_space=1), False),
        (exif(index=b"R98\0"), False),
        (exif()[:-9], False),
        (exif()[:30], False),
        (exif().replace(b"\x69\x87", b"\x69\x86"), False),
    ],
)
def test_only_what_exif_really_says_is_believed(told: bytes, is_adobe: bool) -> None:
    picture = Image.new("RGB", (16, 16), (90, 200, 60))
    image = opened(jpeg_with((0xE1, b"Exif\0\0" + told), image=picture))
    assert (difference(image, picture) > 30) == is_adobe


def test_a_profile_holds_before_exif() -> None:
    picture = every_colour()
    profile = case("DisplayP3-v4.icc")
    data = written(picture, exif=b"Exif\0\0" + exif(), icc_profile=profile)
    assert difference(opened(data), shown(picture, profile)) <= 2


# --- Grey -----------------------------------------------------------------------------------------


def greys() -> Image.Image:
    image = Image.linear_gradient("L").rotate(90).resize((256, 16))
    image = image.point([value + (value == 39) for value in range(256)])
    image.paste(39, (0, 0, 4, 4))
    return image


def test_grey_with_alpha_is_shown_by_its_profile() -> None:
    data = case("grey-alpha-dotgain.png")
    plain = reopened(data)
    wanted = shown(plain.getchannel("L"), plain.info["icc_profile"])
    wanted.putalpha(plain.getchannel("A"))
    image = opened(data)
    assert image.getpixel((5, 5)) == (122, 122, 122, 255)
    assert difference(on_white(image), on_white(wanted)) <= 2
    assert image.getchannel("A").tobytes() == plain.getchannel("A").tobytes()


def on_white(image: Image.Image) -> Image.Image:
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)


GREYS: dict[str, dict[str, Any]] = {
    "JPEG": {"format": "JPEG", "quality": 100},
    "PNG": {},
    "PNG with a transparent grey": {"transparency": 39},
}


@pytest.mark.parametrize("name", GREYS)
def test_a_profile_for_grey_is_followed_whatever_else_is_in_the_file(name: str) -> None:
    data = written(greys(), icc_profile=LIGHT_GREY, **GREYS[name])
    wanted = shown(greys(), LIGHT_GREY)
    image = opened(data)
    assert image.mode == ("RGBA" if "transparent" in name else "L")
    assert difference(greys(), wanted) > 50
    assert difference(image.crop((9, 0, 256, 16)), wanted.crop((9, 0, 256, 16))) <= 8


@pytest.mark.parametrize("chunk", [gamma(1.0), iccp(LIGHT_GREY), (b"cICP", bytes([1, 8, 0, 1]))])
@pytest.mark.parametrize(("colours", "samples"), [(0, 1), (4, 2)])
def test_deep_grey_keeps_its_darks(colours: int, samples: int, chunk: tuple[bytes, bytes]) -> None:
    grey = 0x0A20 if samples == 1 else 0x3000
    image = opened(deep_png(colours, *([grey, 0x8000][:samples]) * 8, chunks=(chunk,)))
    light = grey / 65_535
    wanted = 255 * (1.055 * light ** (1 / 2.4) - 0.055)
    assert image.mode == ("L" if samples == 1 else "RGBA")
    assert image.convert("RGB").getpixel((3, 3)) == pytest.approx((wanted,) * 3, abs=2)
    assert image.getpixel((3, 3))[3] == 128 if samples == 2 else True  # type: ignore[index]


def test_grey_with_opaque_alpha_stays_grey() -> None:
    assert opened(written(greys().convert("LA"))).mode == "L"


# --- Transparency ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("colours", "key", "other"),
    [
        (2, (0x1234, 0x8000, 0x0001), (0x1235, 0x8000, 0x0001)),
        (2, (0x1234, 0x8000, 0x0001), (0x1234, 0x8000, 0x0101)),
        (0, (0x1234,), (0x1235,)),
        (0, (0x0000,), (0xFFFF,)),
    ],
)
def test_exactly_one_colour_of_16_bits_is_transparent(
    colours: int, key: tuple[int, ...], other: tuple[int, ...]
) -> None:
    told = (b"tRNS", struct.pack(f">{len(key)}H", *key))
    image = opened(deep_png(colours, *(key + other) * 4, chunks=(told,)))
    assert image.mode == "RGBA"
    assert [image.getpixel((x, 3))[3] for x in range(4)] == [0, 255, 0, 255]  # type: ignore[index]
    assert image.getpixel((1, 3))[:3] == pytest.approx(  # type: ignore[index]
        [round(value / 257) for value in other * (3 // len(other))], abs=1
    )


def test_a_transparent_colour_that_is_nowhere_leaves_a_picture_opaque() -> None:
    told = (b"tRNS", struct.pack(">3H", 1, 2, 3))
    assert opened(deep_png(2, *(9, 9, 9) * 8, chunks=(told,))).mode == "RGB"


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_a_transparent_grey_of_few_bits_is_found(bits: int) -> None:
    most = 2**bits - 1
    row = b"\0" + int(f"{0:0{bits}b}{most:0{bits}b}" * 4, 2).to_bytes(bits)
    told = (b"tRNS", struct.pack(">H", most))
    data = png(header(8, 8, bits, 0), told, (b"IDAT", zlib.compress(row * 8)), (b"IEND", b""))
    image = opened(data)
    assert image.mode == "RGBA"
    assert [image.getpixel((x, 1)) for x in range(2)] == [(0, 0, 0, 255), (255, 255, 255, 0)]


def test_a_transparent_colour_of_the_wrong_length_is_left_out() -> None:
    told = (b"tRNS", b"\0\0\0")
    assert opened(deep_png(2, *(0, 0, 0) * 8, chunks=(told,))).mode == "RGB"


def test_what_lies_under_alpha_0_is_gone() -> None:
    data = case("hidden-face-alpha0.webp")
    alpha = reopened(data).getchannel("A").point([255] + [0] * 255)
    for image in (opened(data), reopened(accepted(data).data)):
        assert image.mode == "RGBA"
        hidden = Image.composite(image.convert("RGB"), Image.new("RGB", image.size, "white"), alpha)
        assert hidden.getextrema() == ((255, 255),) * 3
    visible = Image.composite(
        ImageChops.difference(opened(data).convert("RGB"), reopened(data).convert("RGB")),
        Image.new("RGB", image.size),
        alpha.point(lambda value: 255 - value),
    )
    assert visible.getbbox() is None


@pytest.mark.parametrize("format", ["PNG", "WEBP"])
@pytest.mark.parametrize("size", [(64, 48), (1800, 1300)], ids=["here", "in a child"])
def test_only_what_is_wholly_transparent_loses_its_colour(
    format: str,  # noqa: A002
    size: tuple[int, int],
) -> None:
    picture = quarters(size).convert("RGBA")
    for x, alpha in ((0, 0), (size[0] // 2, 1)):
        picture.paste((*RED, alpha) if x == 0 else (*GREEN, alpha), (x, 0, x + 24, 24))
    data = written(picture, format, lossless=True, exact=True, method=0, compress_level=1)
    photo = images.accept(io.BytesIO(data), size=1, max_bytes=30 * MP, max_pixels=50 * MP)
    image = reopened(photo.data)
    assert image.getpixel((5, 5)) == (255, 255, 255, 0)
    assert image.getpixel((size[0] // 2 + 5, 5)) == (*GREEN, 1)


def test_a_transparent_palette_hides_nothing() -> None:
    picture = quarters().quantize(8)
    image = opened(written(picture, transparency=picture.getpixel((3, 3))))
    assert image.getpixel((3, 3)) == (255, 255, 255, 0)
