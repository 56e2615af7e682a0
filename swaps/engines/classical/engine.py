"""The engine: finds the faces, swaps them, and warns of what may look wrong."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from PIL import Image

from swaps.engines.classical import quality
from swaps.engines.classical.choose import choose
from swaps.engines.classical.describe import describe
from swaps.engines.classical.faces import FaceFinder, Scene
from swaps.engines.classical.large import working_copy
from swaps.engines.classical.modes import (
    as_array,
    as_rgb,
    convert_to_mode_of,
    fill_hidden,
    hidden_pixels,
)
from swaps.engines.classical.parse import PARSE_MODEL, Parser
from swaps.engines.classical.pipeline import swap_region
from swaps.engines.classical.portrait import Portrait, portrait
from swaps.engines.classical.types import (
    DetectedFace,
    Face,
    Landmarks,
    Measures,
    NoFace,
    Pair,
    Picture,
    Pixels,
    Place,
    SameFace,
    SwapOutput,
)


class Engine:
    """Swaps faces; create it once per process (loading takes about a tenth of a second).

    ``models``: the folder with the four model files (`manage.py fetch_models`). Raises ModelError
    when one is missing or damaged. It is not thread-safe.
    """

    def __init__(self, models: Path, threads: int = 1) -> None:
        cv2.setNumThreads(threads)
        self._finder = FaceFinder(models, threads)
        self._parse = Parser(PARSE_MODEL, threads)

    def faces(self, picture: Pixels) -> list[DetectedFace]:
        """Return the faces of a picture, largest first, at most 64; equal for equal pictures.

        Pictures are what `swap` takes. Raises ValueError for an array that is no picture.
        """
        pixels = as_array(picture)
        rgb = as_rgb(pixels)
        is_hidden = hidden_pixels(pixels)
        scene = self._finder.search(fill_hidden(rgb, is_hidden), is_hidden)
        return [describe(face, scene, self._parse) for face in scene.faces]

    def swap(
        self,
        source: Pixels,
        target: Pixels,
        progress: Callable[[str], None] | None = None,
        pairs: Sequence[Pair] | None = None,
    ) -> SwapOutput:
        """Put faces of ``source`` onto faces of ``target``, at any angle.

        Each of ``pairs`` names a face of the source by a point on it, relative to the picture, or
        None for the largest; and faces of the target by a point, None, or "all". `choose.face_at`
        tells which face a point means. Without pairs the largest face goes onto the largest. Each
        swap reads the original pictures, so their order makes no difference but where silhouettes
        overlap: there the later one is in front.

        The source's face must show its eyes, nose and mouth, and be of one person. Transparent
        pixels (alpha below a quarter) count as not shown. ``progress`` is called with the name of
        each stage, "detect" once and the others for each face of the target.

        Both pictures: uint8 or uint16, H×W grey, H×W×3 RGB or H×W×4 RGBA, upright. The result is
        uint8 in the target's mode; a target that is grey around the face stays grey; alpha is the
        target's; pixels outside the faces' silhouettes are the target's. Equal inputs give equal
        results. Raises NoFace, SameFace when two pairs name one face of the target, and ValueError
        for an array that is no picture, or for no pairs.
        """
        return self.swap_several(
            [(source, [(None, None)] if pairs is None else pairs)], target, progress
        )

    def swap_several(
        self,
        sources: Sequence[tuple[Pixels, Sequence[Pair]]],
        target: Pixels,
        progress: Callable[[str], None] | None = None,
    ) -> SwapOutput:
        """Put faces of several pictures onto faces of ``target`` in one pass.

        Each source comes with its pairs; the rest is as in `swap`.
        """
        if not sources or not all(pairs for _, pairs in sources):
            raise ValueError("no pairs of faces")
        report = progress or _no_progress
        report("detect")
        given = [
            self._locate("source", picture, [place for place, _ in pairs], number)
            for number, (picture, pairs) in enumerate(sources)
        ]
        places = [place for _, pairs in sources for _, place in pairs]
        targets = self._locate("target", target, places)
        givers = [found for one in given for (found,) in one.found]
        swaps = [
            (giver, receiver)
            for giver, group in zip(givers, targets.found, strict=True)
            for receiver in group
        ]
        target_pixels = as_array(target)
        original = as_rgb(target_pixels)
        is_callers = np.may_share_memory(original, target_pixels)
        is_read_again = len(swaps) > 1 or (is_callers and not isinstance(target, Image.Image))
        result = original.copy() if is_read_again else original
        measures = [
            self._swap_one(giver, receiver, original, result, report=report)
            for giver, receiver in swaps
        ]
        warnings = chain.from_iterable(map(quality.warnings, measures))
        return SwapOutput(
            image=convert_to_mode_of(target_pixels, result),
            measures=tuple(measures),
            score=min(map(quality.score, measures)),
            warnings=tuple(dict.fromkeys(warnings)),
            faces_in_source=sum(one.count for one in given),
            faces_in_target=targets.count,
        )

    def _swap_one(
        self,
        source: "_Found",
        target: "_Found",
        original: Picture,
        result: Picture,
        *,
        report: Callable[[str], None],
    ) -> Measures:
        """Put one face into ``result``, reading ``original``; return the measures."""
        work = working_copy(original, target.face, source.face)
        change = swap_region(
            source.picture,
            source.face,
            work.picture,
            work.face,
            parse=self._parse,
            report=report,
        )
        measures = quality.measure(source.portrait, target.portrait, change, work.picture)
        x, y, width, height = work.box
        box = slice(y, y + height), slice(x, x + width)
        change.write_into(result[box], original[box], work.picture if work.is_reduced else None)
        return measures

    def _locate(
        self,
        image: Literal["source", "target"],
        pixels: Pixels,
        places: Sequence[Place],
        number: int = 0,
    ) -> "_Located":
        """Search a picture once, and return the faces at each of ``places``.

        ``number``: which of the sources it is. Raises NoFace when a place has none, and SameFace
        when a face of the target is named twice.
        """
        given = as_array(pixels)
        picture = as_rgb(given)
        is_hidden = hidden_pixels(given)
        scene = self._finder.search(fill_hidden(picture, is_hidden), is_hidden)
        chosen = [choose(scene, place, must_be_whole=image == "source") for place in places]
        if not all(chosen):
            raise NoFace(image, count=len(scene.faces), number=number)
        numbers = [face for group in chosen for face in group]
        if image == "target" and len(set(numbers)) < len(numbers):
            raise SameFace
        found = {i: self._refined(scene, scene.faces[i]) for i in dict.fromkeys(numbers)}
        return _Located(
            found=[[found[i] for i in group] for group in chosen],
            count=len(scene.faces),
        )

    def _refined(self, scene: Scene, landmarks: Landmarks) -> "_Found":
        face = self._finder.refine(scene, landmarks)
        return _Found(
            picture=scene.pyramid[0], face=face, portrait=portrait(scene.pyramid, face.landmarks)
        )


@dataclass(frozen=True, kw_only=True)
class _Found:
    """One face with its exact landmarks, and the picture that shows it."""

    picture: Picture
    face: Face
    portrait: Portrait


@dataclass(frozen=True, kw_only=True)
class _Located:
    """The faces at each place that was asked for, and how many the picture shows."""

    found: list[list[_Found]]
    count: int


def _no_progress(_stage: str) -> None:
    pass
