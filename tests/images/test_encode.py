"""Our own pictures: encoded, converted, and as small copies."""

import pytest
from PIL import Image

from swaps import images
from swaps.images import ImageRefused, containers
from swaps.provenance.xmp import ai_xmp, is_marked
from swaps.sizes import SIDES
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


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        ((4000, 2000), {160: (160, 80), 640: (640, 320), 1600: (1600, 800)}),
        ((750, 1000), {160: (120, 160), 640: (480, 640), 1600: (750, 1000)}),
        ((30, 60), dict.fromkeys(SIDES, (30, 60))),
    ],
)
@pytest.mark.parametrize("format", ["jpeg", "png"])
def test_small_copies_are_webp_and_never_larger_than_the_picture(
    format: images.Format,  # noqa: A002
    size: tuple[int, int],
    shown: dict[int, tuple[int, int]],
) -> None:
    picture = quarters(size)
    for given_ in (picture, images.encode(picture, format)):
        copies = {side: reopened(copy) for side, copy in images.small_copies(given_).items()}
        assert {side: copy.size for side, copy in copies.items()} == shown
        for copy in copies.values():
            assert copy.format == "WEBP"
            for got, wanted in zip(corners(copy), (RED, GREEN, BLUE, GREY), strict=True):
                assert is_near(got, wanted, by=12)
    assert picture.size == size


def test_copies_of_a_hair_are_a_pixel_wide() -> None:
    hair = Image.new("L", (5000, 1))
    for given_ in (hair, images.encode(hair, "jpeg")):
        sizes = {side: reopened(copy).size for side, copy in images.small_copies(given_).items()}
        assert sizes == {side: (side, 1) for side in SIDES}


def test_small_copies_keep_alpha_and_the_mark() -> None:
    picture = Image.new("RGBA", (1700, 1700), (0, 0, 0, 100))
    stored = images.encode(picture, "png", xmp=ai_xmp())
    made = (images.small_copies(stored), images.small_copies(picture, xmp=ai_xmp()))
    for copy in (copy for copies in made for copy in copies.values()):
        assert reopened(copy).getpixel((9, 9))[3] == 100  # type: ignore[index]
        assert is_marked(copy)


def test_small_copies_of_a_photo_have_no_metadata() -> None:
    picture = quarters()
    picture.info["xmp"] = picture.info["exif"] = SECRET
    for given_ in (picture, images.encode(picture, "png")):
        for copy in images.small_copies(given_).values():
            assert containers.read(copy).xmp is None
            assert SECRET not in copy


def test_what_the_decoder_sees_has_no_metadata() -> None:
    for data in everything_private().values():
        if not data.startswith(b"RIFF"):
            assert SECRET not in containers.read(data).pixels


def test_dimensions_of_something_else_are_refused() -> None:
    with pytest.raises(ImageRefused):
        images.dimensions(b"GIF89a")
