"""One engine for all tests of a worker, and the photos they use, small enough to be quick."""

from collections.abc import Callable

import numpy as np
import pytest
from django.conf import settings
from PIL import Image

from swaps.engines.classical import Engine
from swaps.engines.classical.types import Picture
from tests.paths import PHOTOS

Photo = Callable[..., Picture]


@pytest.fixture(scope="session")
def engine() -> Engine:
    return Engine(settings.FACESWAP_MODELS_DIR)


@pytest.fixture(scope="session")
def photo() -> Photo:
    """Return a loader of photos: ``photo("face-man-frontal", side=500)`` is an RGB array.

    Its longer side has at most so many pixels.
    """

    def load(name: str, side: int = 500, mode: str = "RGB") -> Picture:
        with Image.open(PHOTOS / f"{name}.jpg") as image:
            image.thumbnail((side, side))
            return np.asarray(image.convert(mode))

    return load
