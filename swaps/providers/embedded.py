"""The site's own engine as a provider. Imported in the worker only: it loads OpenCV and TFLite."""

from functools import cache

import numpy as np
from django.conf import settings
from PIL import Image

from swaps import errors, images, provenance, storage
from swaps.engine import Engine, NoFace
from swaps.providers.base import Finished, SwapRequest

NO_FACE = {
    "source": "No face was found in the face photo. Choose one in which both eyes can be seen, "
    "sharp and not too small.",
    "target": "No face was found in the target photo. Choose one in which both eyes can be seen, "
    "sharp and not too small.",
}


@cache
def engine() -> Engine:
    """The engine of this process, its models loaded once."""
    return Engine(settings.FACESWAP_MODELS_DIR)


def warm_up() -> None:
    """Load the models and run them once, so that the first swap is as fast as the others."""
    grey = np.full((64, 64, 3), 128, np.uint8)
    try:
        engine().swap(grey, grey)
    except NoFace:
        return


def submit(request: SwapRequest) -> Finished:
    source = _open(request.source_key, "source")
    target = _open(request.target_key, "target")
    try:
        output = engine().swap(source, target)
    except NoFace as error:
        raise errors.NoFace(NO_FACE[error.image], image=error.image) from error
    result = Image.fromarray(output.image)
    is_png = storage.content_type(request.target_key) == "image/png"
    return Finished(
        data=images.encode(result, "png" if is_png else "jpeg", xmp=provenance.ai_xmp()),
        thumbnail=images.thumbnail(result),
        extension=".png" if is_png else ".jpg",
        width=result.width,
        height=result.height,
        warnings=output.warnings,
    )


def _open(key: str, image: errors.ImageName) -> Image.Image:
    try:
        return images.open_photo(storage.read(key), max_pixels=settings.FACESWAP_MAX_PIXELS)
    except images.ImageRefused as error:
        raise errors.InvalidImage(error.message, image=image) from error
