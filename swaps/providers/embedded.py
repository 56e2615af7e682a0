"""The embedded provider: the site's own engine.

Only workers import it, because it loads OpenCV and TFLite.
"""

from functools import cache

import numpy as np
from django.conf import settings
from PIL import Image

from swaps import errors, images, storage
from swaps.engines.classical import Engine, NoFace
from swaps.images import budget
from swaps.providers.base import Finished, SwapRequest
from swaps.providers.result import encode_result


@cache
def engine() -> Engine:
    """Return the engine of this process, its models loaded once."""
    return Engine(settings.FACESWAP_MODELS_DIR)


def warm_up() -> None:
    """Load the models and run them once, so that the first swap is as fast as the others."""
    grey = np.full((64, 64, 3), 128, np.uint8)
    try:
        engine().swap(grey, grey)
    except NoFace:
        return


def submit(request: SwapRequest) -> Finished:
    """Swap the faces and return the result; raises ``errors.NoFace`` or ``errors.InvalidImage``."""
    source = _open(request.source_key, "source")
    target = _open(request.target_key, "target")
    try:
        output = engine().swap(source, target)
    except NoFace as error:
        raise errors.NoFace(error.image, image=error.image) from error
    result = Image.fromarray(output.image)
    return encode_result(
        result, target_key=request.target_key, warnings=output.warnings, score=output.score
    )


def _open(key: str, image: errors.ImageName) -> Image.Image:
    try:
        data, limit = storage.read(key), settings.FACESWAP_MAX_PIXELS
        with budget.reserve(images.memory_needed(data, max_pixels=limit), who="worker"):
            return images.open_photo(data, max_pixels=limit)
    except images.ImageRefused as error:
        raise errors.InvalidImage("stored", image=image, reason=error.explanation) from error
