"""Makes broken and odd photos: the same for the same seed and number."""

import io
import random
import struct
import zlib
from collections.abc import Callable, Sequence

from PIL import Image

SIDE = 480  # pixels: larger photos are reduced to this, so that many can be tried
LONG = 8000  # pixels: the longer side of what is drawn out
_ORIENTATION = 0x0112

Random = random.Random


def mutated(photos: Sequence[Image.Image], seed: int, number: int) -> tuple[str, bytes]:
    """Return what was done, and an encoded photo to which it was done."""
    chance = Random(f"{seed}/{number}")
    photo = chance.choice(photos)
    done = []
    if chance.random() < 0.5:
        shape = chance.choice(SHAPES)
        photo, done = shape(photo, chance), [shape.__name__]
    encode = chance.choice(ENCODERS)
    data = encode(photo, chance)
    done.append(encode.__name__)
    for damage in chance.sample(DAMAGES, chance.choice((0, 1, 1, 1, 2))):
        data = damage(data, chance)
        done.append(damage.__name__)
    return " ".join(name.lstrip("_") for name in done), data


# --- shapes ----------------------------------------------------------------------------------


def _crop(photo: Image.Image, chance: Random) -> Image.Image:
    x, y = chance.randrange(photo.width), chance.randrange(photo.height)
    right, bottom = chance.randint(x + 1, photo.width), chance.randint(y + 1, photo.height)
    return photo.crop((x, y, right, bottom))


def _stretch(photo: Image.Image, chance: Random) -> Image.Image:
    width, height = (max(1, round(s * chance.uniform(0.1, 3))) for s in photo.size)
    return photo.resize((width, height))


def _shrink(photo: Image.Image, chance: Random) -> Image.Image:
    factor = chance.uniform(0.005, 0.3)
    return photo.resize([max(1, round(side * factor)) for side in photo.size])


def _strip(photo: Image.Image, chance: Random) -> Image.Image:
    """Put the photo onto a long and narrow canvas."""
    narrow, long = chance.choice((1, 7, 40, 300)), chance.randint(500, LONG)
    size = (narrow, long) if chance.random() < 0.5 else (long, narrow)
    canvas = Image.new("RGB", size, (90, 120, 150))
    place = chance.randrange(size[0]), chance.randrange(size[1])
    canvas.paste(photo.resize((min(photo.width, narrow * 2), min(photo.height, narrow * 2))), place)
    return canvas


def _turn(photo: Image.Image, chance: Random) -> Image.Image:
    return photo.rotate(chance.uniform(0, 360), expand=chance.random() < 0.5)


def _tile(photo: Image.Image, chance: Random) -> Image.Image:
    """Show many copies of the photo: a crowd."""
    side = chance.choice((40, 70, 130))
    small = photo.resize((side, side))
    canvas = Image.new("RGB", (480, 480))
    for x in range(0, 480, side):
        for y in range(0, 480, side):
            canvas.paste(small, (x, y))
    return canvas


SHAPES: tuple[Callable[[Image.Image, Random], Image.Image], ...] = (
    _crop,
    _stretch,
    _shrink,
    _strip,
    _turn,
    _tile,
)

# --- encoders --------------------------------------------------------------------------------


def _save(photo: Image.Image, file_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    photo.save(buffer, file_format, **options)
    return buffer.getvalue()


def _jpeg(photo: Image.Image, chance: Random) -> bytes:
    exif = Image.Exif()
    exif[_ORIENTATION] = chance.randint(0, 9)
    mode = chance.choice(("RGB", "RGB", "L", "CMYK"))
    return _save(
        photo.convert(mode),
        "JPEG",
        quality=chance.randint(5, 95),
        progressive=chance.random() < 0.5,
        subsampling=chance.choice((0, 1, 2)) if mode == "RGB" else -1,
        exif=exif,
    )


def _png(photo: Image.Image, chance: Random) -> bytes:
    mode = chance.choice(("RGB", "RGBA", "L", "LA", "P", "1", "I;16"))
    if mode == "I;16":
        return _save(photo.convert("I").point(lambda v: v * 257).convert("I;16"), "PNG")
    if mode in {"RGBA", "LA"}:
        photo = photo.convert(mode)
        photo.putalpha(Image.linear_gradient("L").resize(photo.size))
    return _save(photo.convert(mode), "PNG")


def _webp(photo: Image.Image, chance: Random) -> bytes:
    if chance.random() < 0.3:
        photo = photo.convert("RGBA")
        photo.putalpha(chance.randrange(256))
    return _save(photo, "WEBP", quality=chance.randint(5, 95), lossless=chance.random() < 0.2)


ENCODERS: tuple[Callable[[Image.Image, Random], bytes], ...] = (_jpeg, _jpeg, _png, _webp)

# --- damages ---------------------------------------------------------------------------------


def _flip_bits(data: bytes, chance: Random) -> bytes:
    broken = bytearray(data)
    for _ in range(chance.choice((1, 1, 4, 16, 64))):
        broken[chance.randrange(len(broken))] ^= 1 << chance.randrange(8)
    return bytes(broken)


def _flip_in_header(data: bytes, chance: Random) -> bytes:
    broken = bytearray(data)
    for _ in range(chance.choice((1, 2, 4))):
        broken[chance.randrange(min(len(broken), 200))] = chance.randrange(256)
    return bytes(broken)


def _truncate(data: bytes, chance: Random) -> bytes:
    return data[: chance.randrange(len(data))]


def _splice(data: bytes, chance: Random) -> bytes:
    """Write a piece of the file over another place, or insert it there."""
    length = chance.randint(1, max(1, len(data) // 4))
    begin, to = chance.randrange(len(data)), chance.randrange(len(data))
    over = length if chance.random() < 0.5 else 0
    return data[:to] + data[begin : begin + length] + data[to + over :]


def _resize_header(data: bytes, chance: Random) -> bytes:
    """Claim another width and height, up to 65,535, with a right check sum."""
    sides = [chance.choice((0, 1, 40, 1000, 7000, 20_000, 65_535)) for _ in range(2)]
    if data.startswith(b"\x89PNG"):
        header = b"IHDR" + struct.pack(">II", *sides) + data[24:29]
        return data[:12] + header + struct.pack(">I", zlib.crc32(header)) + data[33:]
    for marker in (b"\xff\xc0", b"\xff\xc2"):  # start of frame: length, precision, height, width
        if data.startswith(b"\xff\xd8") and (at := data.find(marker)) > 0:
            return data[: at + 5] + struct.pack(">HH", *sides) + data[at + 9 :]
    if (at := data.find(b"\x9d\x01\x2a")) > 0:  # the key frame of a lossy WebP
        width, height = (side & 0x3FFF for side in sides)
        return data[: at + 3] + struct.pack("<HH", width, height) + data[at + 7 :]
    return _flip_in_header(data, chance)


DAMAGES: tuple[Callable[[bytes, Random], bytes], ...] = (
    _flip_bits,
    _flip_in_header,
    _truncate,
    _splice,
    _resize_header,
)
