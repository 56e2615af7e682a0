"""The embedded provider: the site's own engine.

Only workers import it, because it loads OpenCV and TFLite.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Literal

import numpy as np
from django.conf import settings
from PIL import Image

from swaps import errors, images, storage
from swaps.engines.classical import Engine, NoFace, SameFace
from swaps.engines.classical.types import Place, Point
from swaps.images import budget
from swaps.models.swap_pairs import Pair
from swaps.providers.base import Finished, Seen, SwapRequest
from swaps.providers.faces import as_json
from swaps.providers.result import encode_result

# The longer side of each of several sources, in pixels: all of them are in memory at once.
SEVERAL_SIDE = 3000
LARGEST = Pair(source=0, source_face=None, target_face=None)


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
    """Swap the faces and return the result.

    Raises ``errors.NoFace``, ``errors.InvalidImage``, and ``errors.BadRequest`` when two pairs name
    one face of the target.
    """
    pairs = request.pairs or (LARGEST,)
    sources = list(_open_sources(request.source_keys))
    target = _open(request.target_key, "target")
    given = [
        (source, [_places(pair) for pair in pairs if pair["source"] == number])
        for number, source in enumerate(sources)
    ]
    try:
        output = engine().swap_several([one for one in given if one[1]], target)
    except NoFace as error:
        raise _no_face(error, request.pairs) from error
    except SameFace as error:
        raise errors.BadRequest("same_face") from error
    result = Image.fromarray(output.image)
    is_unclear = not request.pairs and max(output.faces_in_source, output.faces_in_target) > 1
    return encode_result(
        result,
        target_key=request.target_key,
        warnings=(*output.warnings, *(["several_faces"] if is_unclear else [])),
        score=output.score,
    )


def look(key: str) -> Seen:
    """Return what a stored picture shows; raises ``errors.InvalidImage``."""
    picture = _open(key, "")
    width, height = picture.size
    faces = [as_json(face, width, height) for face in engine().faces(picture)]
    return Seen(width=width, height=height, faces=faces)


def _places(pair: Pair) -> tuple[Point | None, Place]:
    source, target = pair["source_face"], pair["target_face"]
    return _point(source), target if target == "all" else _point(target)


def _point(place: Sequence[float] | None) -> Point | None:
    return None if place is None else (place[0], place[1])


def _no_face(error: NoFace, pairs: Sequence[Pair]) -> errors.NoFace:
    key: Literal["source_face", "target_face"] = (
        "source_face" if error.image == "source" else "target_face"
    )
    if any(isinstance(pair[key], list) for pair in pairs) and error.count:
        return errors.NoFace(
            f"{error.image}_point", image=error.image, count=error.count, number=error.number
        )
    return errors.NoFace(error.image, image=error.image, number=error.number)


def _open_sources(keys: Sequence[str]) -> Iterator[Image.Image]:
    for key in keys:
        picture = _open(key, "source")
        if len(keys) > 1:
            picture.thumbnail((SEVERAL_SIDE, SEVERAL_SIDE))
        yield picture


def _open(key: str, image: errors.ImageName) -> Image.Image:
    try:
        data, limit = storage.read(key), settings.FACESWAP_MAX_PIXELS
        with budget.reserve(images.memory_needed(data, max_pixels=limit), who="worker"):
            return images.open_photo(data, max_pixels=limit)
    except images.ImageRefused as error:
        raise errors.InvalidImage("stored", image=image, reason=error.explanation) from error
