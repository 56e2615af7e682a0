"""Pictures to test with: plain ones, and files made by hand where Pillow cannot."""

import base64
import io
import struct
import zlib
from functools import cache
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image, PngImagePlugin

from swaps import images
from swaps.images import ImageRefused
from tests.paths import PHOTOS

MP = 1_000_000
PLAIN_MODES = {"L", "RGB", "RGBA"}
SECRET = b"Alice was at 52.5200 N"
RED, GREEN, BLUE, GREY = (220, 30, 40), (20, 200, 60), (30, 50, 210), (90, 90, 90)


def quarters(size: tuple[int, int] = (48, 32)) -> Image.Image:
    """Return a picture of red, green / blue, grey quarters: turning or mirroring it shows."""
    width, height = size
    image = Image.new("RGB", size, GREY)
    image.paste(RED, (0, 0, width // 2, height // 2))
    image.paste(GREEN, (width // 2, 0, width, height // 2))
    image.paste(BLUE, (0, height // 2, width // 2, height))
    return image


def corners(image: Image.Image) -> list[Any]:
    width, height = image.size
    spots = [(3, 3), (width - 4, 3), (3, height - 4), (width - 4, height - 4)]
    return [image.convert("RGB").getpixel(spot) for spot in spots]


def is_near(one: Any, other: Any, by: int = 3) -> bool:
    return all(abs(a - b) <= by for a, b in zip(one, other, strict=True))


def written(image: Image.Image, format: str = "PNG", **options: Any) -> bytes:  # noqa: A002
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def reopened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def opened(data: bytes) -> Image.Image:
    return images.open_photo(data, max_pixels=MP)


def accepted(data: bytes, max_bytes: int = 10 * MP, max_pixels: int = MP) -> images.Photo:
    return images.accept(
        io.BytesIO(data), size=len(data), max_bytes=max_bytes, max_pixels=max_pixels
    )


def refused(data: bytes) -> ImageRefused:
    with pytest.raises(ImageRefused) as refusal:
        opened(data)
    return refusal.value


def with_orientation(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I4s", len(body), name)
        + body
        + struct.pack(">I", zlib.crc32(body, zlib.crc32(name)))
        for name, body in chunks
    )


def header(width: int, height: int, bits: int = 8, colours: int = 2) -> tuple[bytes, bytes]:
    return b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colours, 0, 0, 0)


def jpeg_with(*segments: tuple[int, bytes], image: Image.Image | None = None) -> bytes:
    data = written(image or quarters(), "JPEG", quality=95)
    return data[:2] + b"".join(map(segment, segments)) + data[2:]


def segment(marker_and_body: tuple[int, bytes]) -> bytes:
    marker, body = marker_and_body
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def gamma_profile(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    """Return an ICC v2 profile with a curve of gamma 2.2."""
    desc = b"desc" + bytes(4) + struct.pack(">I", 5) + b"Test\0" + bytes(78)
    white = b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061)
    tags = {b"desc": desc, b"wtpt": white, b"cprt": b"text" + bytes(4) + b"none\0"} | tags
    table, body, start = b"", b"", 132 + 12 * len(tags)
    for name, content in tags.items():
        table += struct.pack(">4sII", name, start + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    head = struct.pack(">I4sI4s4s4s", start + len(body), b"", 0x02100000, b"mntr", space, b"XYZ ")
    head += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061) + bytes(48)
    return head + struct.pack(">I", len(tags)) + table + body


CURVE = b"curv" + bytes(4) + struct.pack(">IH", 1, round(2.2 * 256)) + bytes(2)
PRIMARIES = {  # Display P3, adapted to D50
    b"rXYZ": (0.51512, 0.24120, -0.00105),
    b"gXYZ": (0.29198, 0.69225, 0.04189),
    b"bXYZ": (0.15710, 0.06657, 0.78407),
}
P3 = gamma_profile(
    b"RGB ",
    {
        name: b"XYZ " + bytes(4) + struct.pack(">3i", *(round(v * 65536) for v in value))
        for name, value in PRIMARIES.items()
    }
    | dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), CURVE),
)
LIGHT_GREY = gamma_profile(  # gamma 1: mid-grey is far lighter than in sRGB
    b"GRAY", {b"kTRC": b"curv" + bytes(4) + struct.pack(">IH", 1, 256) + bytes(2)}
)


def everything_private() -> dict[str, bytes]:
    """Return JPEG, PNG and WebP files with all the metadata that they can carry."""
    exif = with_orientation(1)
    exif[0x010E] = SECRET.decode()
    exif.get_ifd(0x8825)[29] = "2026:01:01"
    thumbnail = (0xE1, b"Exif\0\0II*\0" + bytes(8) + written(Image.new("RGB", (8, 8)), "JPEG"))
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", SECRET.decode())
    text.add_text("Comment", SECRET.decode(), zip=True)
    text.add_itxt("XML:com.adobe.xmp", SECRET.decode())
    options: dict[str, Any] = {"exif": exif, "icc_profile": P3, "xmp": SECRET}
    jpeg = written(quarters(), "JPEG", comment=SECRET, **options)
    return {
        "jpeg": jpeg[:2] + segment(thumbnail) + segment((0xED, SECRET)) + jpeg[2:] + SECRET,
        "png": written(quarters(), "PNG", pnginfo=text, dpi=(300, 300), **options) + SECRET,
        "webp": written(quarters(), "WEBP", **options) + SECRET,
    }


@cache
def samples() -> dict[str, bytes]:
    """Return small valid files of every type and many modes."""
    rgb = quarters((24, 16))
    alpha = rgb.copy()
    alpha.putalpha(Image.linear_gradient("L").resize(rgb.size))
    return {
        "jpeg": written(rgb, "JPEG", exif=with_orientation(6), icc_profile=P3, comment=SECRET),
        "jpeg progressive": written(rgb, "JPEG", progressive=True),
        "jpeg cmyk": written(rgb.convert("CMYK"), "JPEG"),
        "mpo": written(rgb, "MPO", save_all=True, append_images=[rgb]),
        "png": written(rgb, "PNG", exif=with_orientation(6), icc_profile=P3),
        "png palette": written(alpha.quantize(16), "PNG"),
        "png 16": written(Image.new("I;16", (24, 16), 300), "PNG"),
        "webp": written(rgb, "WEBP"),
        "webp lossless": written(alpha, "WEBP", lossless=True),
        "webp extended": written(alpha, "WEBP", exif=with_orientation(6), icc_profile=P3),
    }


def deep_png(colours: int, *samples: int, chunks: tuple[tuple[bytes, bytes], ...] = ()) -> bytes:
    """Return a PNG of 16 bits, 8 × 8 pixels, each row the same."""
    row = b"\0" + struct.pack(f">{len(samples)}H", *samples)
    pixels = (b"IDAT", zlib.compress(row * 8))
    return png(header(8, 8, 16, colours), *chunks, pixels, (b"IEND", b""))


def picture(colour: str = "tan", size: tuple[int, int] = (40, 30), format: str = "JPEG") -> bytes:  # noqa: A002
    return written(Image.new("RGB", size, colour), format)


def photo(colour: str = "tan") -> images.Photo:
    return accepted(picture(colour))


def real(name: str) -> images.Photo:
    """Read one of ``tests/photos``."""
    with Image.open(PHOTOS / f"{name}.jpg") as picture:
        return accepted(written(picture, "JPEG"), max_pixels=50 * MP)


def data_url(data: bytes, content_type: str = "image/jpeg") -> str:
    return f"data:{content_type};base64,{base64.b64encode(data).decode()}"


def file(data: bytes | None = None, name: str = "photo.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, picture() if data is None else data, "image/jpeg")


def swap_form(colour: str = "tan") -> dict[str, object]:
    return {
        "source_image": file(picture(colour)),
        "target_image": file(picture("navy")),
        "consent": "on",
    }


def webp_bomb(width: int = 8000, height: int = 6250, size: int = 38) -> bytes:
    """Return a lossless WebP of one colour, in which no pixel takes a bit."""
    header_bits = 0x2F | (width - 1) << 8 | (height - 1) << 22
    codes = sum(1 << (43 + 4 * number) for number in range(5))  # each of one symbol, which is 0
    payload = (header_bits | codes).to_bytes(size - 20, "little")
    chunk = b"WEBPVP8L" + struct.pack("<I", len(payload)) + payload
    return b"RIFF" + struct.pack("<I", len(chunk)) + chunk
