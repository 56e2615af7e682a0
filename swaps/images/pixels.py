"""Normalises decoded pictures: mode, alpha and orientation. Pillow only."""

from PIL import Image

from swaps.images.colours import to_srgb

_TRANSPOSITIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# Modes that Pillow cannot convert in one step, and the mode to go through.
_INTERMEDIATE_MODES = {"1": "L", "La": "LA", "RGBa": "RGBA"}
_CLEAR = (255, 255, 255, 0)


def apply_orientation(image: Image.Image, orientation: int) -> Image.Image:
    """Return the picture rotated and mirrored as its EXIF orientation (1…8) says."""
    method = _TRANSPOSITIONS.get(orientation)
    return image if method is None else image.transpose(method)


def to_plain(
    image: Image.Image, profiles: tuple[bytes, ...] = (), alpha: Image.Image | None = None
) -> Image.Image:
    """Return the picture in mode L, RGB or RGBA, in sRGB, without metadata.

    Pixels are copied only where they change. Wholly transparent pixels become white, so that no
    hidden colours reach the engine.
    """
    if image.mode in _INTERMEDIATE_MODES:
        image = image.convert(_INTERMEDIATE_MODES[image.mode])
    if image.mode == "LA":  # its profile is one for grey
        image, alpha = image.getchannel("L"), image.getchannel("A")
    elif image.has_transparency_data and image.mode != "RGBA":
        image = image.convert("RGBA")
    if image.mode == "RGBA" and image.getchannel("A").getextrema()[0] == 255:
        image = image.convert("RGB")
    if image.mode not in {"L", "I;16", "RGB", "RGBA", "CMYK"}:
        image = image.convert("RGB")
    image = without_info(to_srgb(image, profiles))
    if alpha is not None and alpha.getextrema()[0] != 255:
        if image.mode == "L":
            image = Image.merge("RGBA", (image, image, image, alpha))
        else:
            image.putalpha(alpha)
    return _without_hidden_colours(image) if image.mode == "RGBA" else image


def _without_hidden_colours(image: Image.Image) -> Image.Image:
    clear = image.getchannel("A").point([255] + [0] * 255)
    if clear.getbbox():
        image.paste(_CLEAR, mask=clear)
    return image


def without_info(image: Image.Image) -> Image.Image:
    """Return the same pixels without ``info``, so that no encoder writes metadata from it."""
    image.load()
    return Image.Image()._new(image.im)  # noqa: SLF001  the public ways copy 4 bytes a pixel


def composite_on_white(image: Image.Image) -> Image.Image:
    """Return an RGBA picture as RGB on a white background."""
    white = Image.new("RGB", image.size, "white")
    white.paste(image, mask=image.getchannel("A"))
    return white
