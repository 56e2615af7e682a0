"""What gets stored of a photo: its pixels, and none of its metadata."""

import pytest
from PIL import Image

from swaps import images
from tests.pictures import (
    RED,
    SECRET,
    accepted,
    everything_private,
    jpeg_with,
    reopened,
    samples,
    written,
)


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
        assert {reopened(copy).size for copy in photo.copies.values()} == {(1, 1)}
