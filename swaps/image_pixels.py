"""Decoded pixels: colours, alpha and orientation. Pillow only."""

import io

from PIL import Image, ImageCms

from swaps.image_formats import MAX_PROFILE_BYTES

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
_SPACES = {"L": "GRAY", "RGB": "RGB", "RGBA": "RGB", "CMYK": "CMYK"}
# Clipping, Pillow's own way, would turn everything above 255 white.
_16_TO_8_BITS = [(value + 128) // 257 for value in range(65_536)]


def upright(image: Image.Image, orientation: int) -> Image.Image:
    method = _UPRIGHT.get(orientation)
    return image if method is None else image.transpose(method)


def to_plain(image: Image.Image, icc: bytes | None = None) -> Image.Image:
    """Mode L, RGB or RGBA, in sRGB, no metadata; the pixels are copied only where they change."""
    if image.mode.startswith("I"):
        image = image.convert("I").point(_16_TO_8_BITS, "L")
    if image.mode in _FIRST:
        image = image.convert(_FIRST[image.mode])
    if image.has_transparency_data:
        image = image if image.mode == "RGBA" else image.convert("RGBA")
        if image.getchannel("A").getextrema()[0] == 255:
            image = image.convert("RGB")
    if image.mode not in {"L", "RGB", "RGBA", "CMYK"}:
        image = image.convert("RGB")
    return bare(_to_srgb(image, icc))


def bare(image: Image.Image) -> Image.Image:
    """The same pixels in a picture without info, so that no encoder finds anything to write."""
    image.load()
    return Image.Image()._new(image.im)  # noqa: SLF001  the public ways copy 4 bytes a pixel


def on_white(image: Image.Image) -> Image.Image:
    white = Image.new("RGB", image.size, "white")
    white.paste(image, mask=image.getchannel("A"))
    return white


def _to_srgb(image: Image.Image, icc: bytes | None) -> Image.Image:
    """The profile goes with the metadata, and wide colours would shift without it."""
    transform = _transform(image.mode, icc) if icc else None
    if transform is None:
        return image.convert("RGB") if image.mode == "CMYK" else image
    if image.mode in {"RGB", "RGBA"}:
        ImageCms.applyTransform(image, transform, inPlace=True)
        return image
    converted = transform.apply(image)
    return converted.convert("L") if image.mode == "L" else converted


def _transform(mode: str, icc: bytes) -> ImageCms.ImageCmsTransform | None:
    """None if there is nothing to do, and if the profile is broken or for other colours.

    That is no reason to refuse a good picture.
    """
    if len(icc) > MAX_PROFILE_BYTES:
        return None
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        if profile.profile.xcolor_space.strip() != _SPACES[mode]:
            return None
        if ImageCms.getProfileDescription(profile).startswith("sRGB"):
            return None
        to_mode = mode if mode == "RGBA" else "RGB"
        return ImageCms.buildTransform(profile, ImageCms.createProfile("sRGB"), mode, to_mode)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
