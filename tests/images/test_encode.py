"""Our own pictures: encoded, converted, and as thumbnails."""

import pytest
from PIL import Image

from swaps import images
from swaps.images import ImageRefused, containers
from tests.pictures import (
    BLUE,
    GREEN,
    GREY,
    RED,
    SECRET,
    corners,
    everything_private,
    is_near,
    quarters,
    reopened,
)


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
