"""Decoded pixels: modes, alpha and orientation. Pillow only."""

from PIL import Image

from swaps.images.colours import to_srgb

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# Modes from which Pillow does not convert in one step.
_FIRST = {"1": "L", "La": "LA", "RGBa": "RGBA"}
_CLEAR = (255, 255, 255, 0)


def upright(image: Image.Image, orientation: int) -> Image.Image:
    method = _UPRIGHT.get(orientation)
    return image if method is None else image.transpose(method)


def to_plain(
    image: Image.Image, profiles: tuple[bytes, ...] = (), alpha: Image.Image | None = None
) -> Image.Image:
    """Mode L, RGB or RGBA, in sRGB, no metadata; the pixels are copied only where they change.

    What is wholly transparent is white: nothing hides there from people and shows to the engine.
    """
    if image.mode in _FIRST:
        image = image.convert(_FIRST[image.mode])
    if image.mode == "LA":  # its profile is one for grey
        image, alpha = image.getchannel("L"), image.getchannel("A")
    elif image.has_transparency_data and image.mode != "RGBA":
        image = image.convert("RGBA")
    if image.mode == "RGBA" and image.getchannel("A").getextrema()[0] == 255:
        image = image.convert("RGB")
    if image.mode not in {"L", "I;16", "RGB", "RGBA", "CMYK"}:
        image = image.convert("RGB")
    image = bare(to_srgb(image, profiles))
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


def bare(image: Image.Image) -> Image.Image:
    """The same pixels in a picture without info, so that no encoder finds anything to write."""
    image.load()
    return Image.Image()._new(image.im)  # noqa: SLF001  the public ways copy 4 bytes a pixel


def on_white(image: Image.Image) -> Image.Image:
    white = Image.new("RGB", image.size, "white")
    white.paste(image, mask=image.getchannel("A"))
    return white
