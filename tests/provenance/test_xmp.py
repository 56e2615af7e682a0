import io
import struct
from xml.etree import ElementTree as ET

import pytest
from PIL import Image

from swaps import images
from swaps.provenance import xmp as provenance_xmp

FORMATS: list[images.Format] = ["jpeg", "png", "webp"]
IPTC = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}"
XMP = "{http://ns.adobe.com/xap/1.0/}"


def marked(format: images.Format) -> bytes:  # noqa: A002
    return images.encode(Image.new("RGB", (20, 10)), format, xmp=provenance_xmp.ai_xmp())


def test_the_packet_is_well_formed_and_says_made_with_ai() -> None:
    root = ET.fromstring(provenance_xmp.ai_xmp())
    assert root.tag == "{adobe:ns:meta/}xmpmeta"
    assert root.findtext(f".//{IPTC}DigitalSourceType") == provenance_xmp.DIGITAL_SOURCE_TYPE
    assert root.findtext(f".//{XMP}CreatorTool") == "Faceswap"


def test_the_packet_is_the_same_each_time() -> None:
    assert provenance_xmp.ai_xmp() == provenance_xmp.ai_xmp()
    assert marked("jpeg") == marked("jpeg")


@pytest.mark.parametrize("format", FORMATS)
def test_each_format_carries_the_mark(format: images.Format) -> None:  # noqa: A002
    assert provenance_xmp.is_marked(marked(format))
    assert not provenance_xmp.is_marked(images.encode(Image.new("RGB", (20, 10)), format))


@pytest.mark.parametrize("format", FORMATS)
def test_pillow_finds_the_mark_where_programs_look_for_it(
    format: images.Format,  # noqa: A002
) -> None:
    image = Image.open(io.BytesIO(marked(format)))
    image.load()
    xmp = image.info["xmp"]
    assert (xmp.encode() if isinstance(xmp, str) else xmp) == provenance_xmp.ai_xmp()


@pytest.mark.parametrize("to", FORMATS)
@pytest.mark.parametrize("stored", FORMATS)
def test_the_mark_survives_the_way_to_another_format(
    stored: images.Format, to: images.Format
) -> None:
    assert provenance_xmp.is_marked(images.convert(marked(stored), to))


def test_a_stored_picture_without_the_mark_gets_it() -> None:
    plain = images.encode(Image.new("RGB", (20, 10)), "jpeg")
    assert provenance_xmp.is_marked(images.convert(plain, "jpeg", xmp=provenance_xmp.ai_xmp()))


def test_the_same_words_elsewhere_are_no_mark() -> None:
    words = provenance_xmp.DIGITAL_SOURCE_TYPE.encode()
    plain = images.encode(Image.new("RGB", (20, 10)), "jpeg")
    comment = b"\xff\xfe" + struct.pack(">H", len(words) + 2) + words
    assert not provenance_xmp.is_marked(plain[:2] + comment + plain[2:])
    assert not provenance_xmp.is_marked(plain + words)


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"\xff\xd8\xff", provenance_xmp.ai_xmp()])
def test_what_is_no_picture_is_not_marked(data: bytes) -> None:
    assert not provenance_xmp.is_marked(data)
