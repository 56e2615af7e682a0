"""Untrusted bytes ↔ pictures. What is accepted, how it is checked, what it costs: docs/images.md.

Runs in web processes too: Pillow only, no Django (limits are arguments).
"""

import contextlib
import io
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final, Literal, NoReturn

from PIL import Image, PngImagePlugin

from swaps import image_cost, image_formats, image_types
from swaps import image_pixels as pixels
from swaps.image_container import Container, Name
from swaps.image_decoding import DECODERS, HAS_HEIC, decode, read_heic

Code = Literal[
    "empty",
    "not_an_image",
    "unsupported_type",
    "broken",
    "too_many_bytes",
    "too_many_pixels",
    "animated",
    "too_slow",
]
Format = Literal["jpeg", "png", "webp"]
Reserve = Callable[[int], contextlib.AbstractContextManager[object]]  # so many bytes of memory

# For the form. Without image/heic in it, iPhones turn HEIC into JPEG by themselves.
_HEIC_TYPES = ("image/heic", "image/heif") if HAS_HEIC else ()
ACCEPTED_CONTENT_TYPES: Final = ("image/jpeg", "image/png", "image/webp", *_HEIC_TYPES)
ACCEPTED_TEXT: Final = "JPEG, PNG, WebP and HEIC" if HAS_HEIC else "JPEG, PNG and WebP"

EXTENSIONS: Final = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp"}
# 1920 × 1080 and below. It takes 16 bytes a pixel to open a WebP (35 MB) and 8 to turn a JPEG; a
# child takes 0.07 s to start, which is more than this costs here.
MOST_PIXELS_HERE: Final = 2_100_000
MOST_GROWTH: Final = 3  # times the limit of an upload: a picture with alpha is kept as PNG
MOST_PIXELS: Final = Image.MAX_IMAGE_PIXELS or 89_000_000  # Pillow's; no setting goes beyond
_NAMES: dict[Format, Name] = {"jpeg": "JPEG", "png": "PNG", "webp": "WebP"}
# libjpeg stops at 65500, below the 65535 that the format could say.
_MAX_SIDE: dict[Format, float] = {"jpeg": 65_500, "png": math.inf, "webp": 16_383}


class ImageRefused(Exception):
    """``message`` is for people: what is wrong and what to do."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, kw_only=True)
class Photo:
    """A picture encoded by us, without metadata, ready to be stored."""

    data: bytes
    content_type: str
    extension: str  # with its dot
    width: int
    height: int
    thumbnail: bytes  # WebP, to be stored beside it


def accept(
    upload: BinaryIO,
    *,
    size: int,
    max_bytes: int,
    max_pixels: int,
    reserve: Reserve = contextlib.nullcontext,
) -> Photo:
    """The web form's door. ``size`` is what the upload says of itself; it is not believed.

    ``reserve`` is asked for the memory before anything is decoded, and may wait for it or raise.
    A large picture is opened in a child process: this one stays small (docs/adr/0017).
    """
    _check_bytes(size, max_bytes)
    with _refusing():
        begin = upload.tell()
        data = upload.read(max_bytes + 1)
    _check_bytes(len(data), max_bytes)
    with _refusing():
        container = _examine(data, max_pixels)
    memory = image_cost.memory(container)
    most_stored = MOST_GROWTH * max_bytes
    if container.width * container.height <= MOST_PIXELS_HERE:
        del data, container  # whoever waits for memory holds none
        with reserve(memory), _refusing():
            upload.seek(begin)
            photo = accept_here(upload.read(max_bytes), max_pixels=max_pixels)
        check_stored(len(photo.data), most_stored)
        return photo
    from swaps import image_child  # it imports this module

    with image_child.as_file(upload, begin, data) as file:
        del data, container
        with reserve(memory + image_child.MEMORY_BESIDE):
            return image_child.accept(file, max_pixels=max_pixels, most_stored=most_stored)


def check_stored(size: int, most: int) -> None:
    """What is encoded anew may be larger than what came; within reason."""
    if size > most:
        raise ImageRefused(
            "too_many_bytes",
            f"It would take {_millions(size)} MB to keep it; {_millions(most)} MB is the most. "
            "Save it as JPEG, or make it smaller, and try again.",
        )


def accept_here(data: bytes, *, max_pixels: int) -> Photo:
    """What ``accept`` does, in this process however large it is."""
    with _refusing():
        container = _examine(data, max_pixels)
        image = decode(container)
    kind: Format = "png" if image.mode == "RGBA" or container.format == "PNG" else "jpeg"
    content_type = f"image/{kind}"
    return Photo(
        data=encode(image, kind),
        content_type=content_type,
        extension=EXTENSIONS[content_type],
        width=image.width,
        height=image.height,
        thumbnail=thumbnail(image),
    )


def memory_needed(data: bytes, *, max_pixels: int) -> int:
    """Bytes that ``open_photo`` takes at its peak. Raises ImageRefused as far as a header tells."""
    with _refusing():
        return image_cost.memory(_examine(data, max_pixels))


def open_photo(data: bytes | BinaryIO, *, max_pixels: int) -> Image.Image:
    """An upright picture in sRGB, mode L, RGB or RGBA, without metadata. Raises ImageRefused."""
    with _refusing():
        data = data if isinstance(data, bytes) else data.read()
        return decode(_examine(data, max_pixels))


def encode(image: Image.Image, format: Format, *, xmp: bytes | None = None) -> bytes:  # noqa: A002
    """Nothing but the pixels and ``xmp`` gets into the file. JPEG puts alpha onto white."""
    if max(image.size) > _MAX_SIDE[format]:
        raise ImageRefused(
            "too_many_pixels",
            f"It is {image.width:,} × {image.height:,} pixels; {_NAMES[format]} allows "
            f"{_MAX_SIDE[format]:,} a side. Choose another format.",
        )
    plain = pixels.bare(image) if image.mode in {"L", "RGB", "RGBA"} else pixels.to_plain(image)
    out = io.BytesIO()
    match format:
        case "jpeg":
            plain = pixels.on_white(plain) if plain.mode == "RGBA" else plain
            plain.save(out, "JPEG", quality=95, subsampling="4:4:4", xmp=xmp)
        case "png":
            text = PngImagePlugin.PngInfo()
            if xmp:
                text.add_itxt("XML:com.adobe.xmp", xmp)
            plain.save(out, "PNG", compress_level=1, pnginfo=text)
        case "webp":
            plain.save(out, "WEBP", quality=90, method=2, xmp=xmp or b"")
    return out.getvalue()


def thumbnail(image_or_data: Image.Image | bytes, side: int = 640) -> bytes:
    """WebP, longest side at most ``side``. Bytes are a picture that we stored."""
    with _refusing():
        image = image_or_data
        if isinstance(image, bytes):
            image = Image.open(io.BytesIO(image), formats=DECODERS)
            image.draft(None, _within(image.size, 2 * side))
        size = _within(image.size, side)
        if (factor := max(image.size) // (2 * side)) > 1:
            image = image.reduce(factor)
        out = io.BytesIO()
        image = pixels.bare(image.resize(size, Image.Resampling.LANCZOS))
        image.save(out, "WEBP", quality=82, method=2)
        return out.getvalue()


def convert(data: bytes, format: Format, *, xmp: bytes | None = None) -> bytes:  # noqa: A002
    """A picture that we stored, as another type; without ``xmp`` it keeps its own packet."""
    with _refusing():
        container = image_formats.read(data)
        xmp = xmp or container.xmp
        if container.format == _NAMES[format] and xmp == container.xmp:
            return data
        image = decode(container)
    return encode(image, format, xmp=xmp)


def dimensions(data: bytes) -> tuple[int, int]:
    """Width and height as shown, from the header of a JPEG, PNG or WebP."""
    with _refusing():
        container = image_formats.read(data)
    width, height = container.width, container.height
    return (height, width) if container.orientation >= 5 else (width, height)


def _within(size: tuple[int, int], side: int) -> tuple[int, int]:
    scale = min(1.0, side / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _examine(data: bytes, max_pixels: int) -> Container:
    """All that can be refused before anything is decoded."""
    _check_type(data)
    is_heic = image_types.identify(data) == "HEIC"
    container = read_heic(data) if is_heic else image_formats.read(data)
    _check_pixels(container.width, container.height, max_pixels)
    if container.is_animated:
        raise ImageRefused("animated", "It is an animation. Choose a still picture.")
    if container.width * container.height > MOST_PIXELS_HERE and not (
        image_cost.can_hold_its_pixels(container)
    ):
        raise ImageRefused(
            "broken",
            f"It says that it is {container.width:,} × {container.height:,} pixels, and is too "
            "small a file to hold such a photo. Choose another one.",
        )
    return container


# --- Checks ---------------------------------------------------------------------------------------


def no_memory() -> ImageRefused:
    return ImageRefused(
        "too_many_pixels", "There is not enough memory to open it. Make it smaller and try again."
    )


def broken() -> ImageRefused:
    return ImageRefused(
        "broken", "It is damaged or incomplete. Open it, save it anew as JPEG or PNG and try again."
    )


@contextlib.contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except ImageRefused:
        raise
    except MemoryError:
        raise no_memory() from None
    except Exception:  # noqa: BLE001  decoders raise a dozen classes for bad bytes, none documented
        # What the library said is no use to the reader, and may name a path.
        raise broken() from None


def _check_bytes(size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise ImageRefused(
            "too_many_bytes",
            f"It is {_millions(size)} MB; {_millions(max_bytes)} MB is the most. "
            "Save it smaller and try again.",
        )
    if size <= 0:
        raise ImageRefused("empty", "The file is empty. Choose another one.")


def _check_type(data: bytes) -> None:
    _check_bytes(len(data), len(data))
    found = image_types.identify(data)
    if found in {"JPEG", "PNG", "WebP"} or (found == "HEIC" and HAS_HEIC):
        return
    if found == "HEIC":
        _refuse_type("It is a HEIC picture, which cannot be read here. Save it as JPEG")
    if found in {"SVG", "AVIF"} or found in image_types.PICTURE_TYPES:
        _refuse_type(f"It is of the type {found}. Save it as one of {ACCEPTED_TEXT}")
    what = f"It is a {found}, not a picture." if found else "It is not a picture."
    raise ImageRefused("not_an_image", f"{what} {ACCEPTED_TEXT} are accepted.")


def _refuse_type(what: str) -> NoReturn:
    raise ImageRefused("unsupported_type", f"{what} and try again.")


def _check_pixels(width: int, height: int, max_pixels: int) -> None:
    most = min(max_pixels, MOST_PIXELS)
    if width * height > most:
        raise ImageRefused(
            "too_many_pixels",
            f"It is {width:,} × {height:,} = {_millions(width * height)} megapixels; "
            f"{_millions(most, round_up=False)} is the most. Make it smaller and try again.",
        )


def _millions(count: int, *, round_up: bool = True) -> str:
    """Rounded away from the limit, so that "50 MB; 50 MB is the most" is never said."""
    tenths = -(-count // 100_000) if round_up else count // 100_000
    return f"{tenths / 10:,.1f}".removesuffix(".0")
