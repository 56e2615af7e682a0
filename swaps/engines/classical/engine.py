"""The engine: finds the faces, swaps them, and warns of what may look wrong."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from swaps.engines.classical.faces import FaceFinder
from swaps.engines.classical.geometry import pose
from swaps.engines.classical.large import working_copy
from swaps.engines.classical.modes import (
    as_array,
    as_rgb,
    convert_to_mode_of,
    fill_hidden,
    hidden_pixels,
)
from swaps.engines.classical.pipeline import swap_region
from swaps.engines.classical.types import NoFace, Pixels, SwapOutput

_YAW_LIMIT = 35.0  # degrees: beyond, one face shows much that the other hides


def _no_progress(_stage: str) -> None:
    pass


class Engine:
    """Swaps faces; create it once per process (loading takes about a tenth of a second).

    ``models``: the folder with the four model files (`manage.py fetch_models`). Raises ModelError
    when one is missing or damaged. It is not thread-safe.
    """

    def __init__(self, models: Path, threads: int = 1) -> None:
        cv2.setNumThreads(threads)
        self._finder = FaceFinder(models, threads)

    def swap(
        self,
        source: Pixels,
        target: Pixels,
        progress: Callable[[str], None] | None = None,
    ) -> SwapOutput:
        """Put the largest face of ``source`` onto the largest face of ``target``, at any angle.

        The source's face must show its eyes, nose and mouth, and be of one person. Transparent
        pixels (alpha below a quarter) count as not shown. ``progress`` is called with the name of
        each stage.

        Both pictures: uint8 or uint16, H×W grey, H×W×3 RGB or H×W×4 RGBA, upright. The result is
        uint8 in the target's mode; a target that is grey around the face stays grey; alpha is the
        target's; pixels outside the face's silhouette are the target's. Equal inputs give equal
        results. Raises NoFace, and ValueError for an array that is no picture.
        """
        report = progress or _no_progress
        report("detect")
        source_pixels = as_array(source)
        source_picture = as_rgb(source_pixels)
        is_hidden = hidden_pixels(source_pixels)
        source_picture = fill_hidden(source_picture, is_hidden)
        source_face, faces_in_source = self._finder.largest(
            source_picture, must_be_whole=True, hidden=is_hidden
        )
        if source_face is None:
            raise NoFace("source")
        target_pixels = as_array(target)
        result = as_rgb(target_pixels)
        target_face, faces_in_target = self._finder.largest(
            fill_hidden(result, hidden_pixels(target_pixels))
        )
        if target_face is None:
            raise NoFace("target")
        if not isinstance(target, Image.Image) and np.may_share_memory(result, target_pixels):
            result = result.copy()  # do not change the caller's array
        work = working_copy(result, target_face, source_face)
        change = swap_region(source_picture, source_face, work.picture, work.face, report)
        x, y, width, height = work.box
        part = result[y : y + height, x : x + width]
        change.write_into(part, work.picture if work.is_reduced else None)
        turned = pose(source_face.landmarks).yaw - pose(target_face.landmarks).yaw
        return SwapOutput(
            image=convert_to_mode_of(target_pixels, result),
            warnings=("yaw",) if abs(turned) > _YAW_LIMIT else (),
            faces_in_source=faces_in_source,
            faces_in_target=faces_in_target,
        )
