"""Measures how good a swap is, without a person: a score, and warnings of what may look wrong.

The score is a logistic model of the measures. Its coefficients are here and nowhere else;
`python -m bench.fit_score` fits them to pictures that people have judged.
"""

import math
from dataclasses import asdict

import cv2
import numpy as np

from swaps.engines.classical.filters import lab, shrink, shrink_picture
from swaps.engines.classical.geometry import pose, visibility
from swaps.engines.classical.mesh import (
    ABOVE_JAW,
    AROUND_MOUTH,
    CANONICAL,
    FEATURES,
    FOREHEAD_AND_TEMPLES,
    INNER,
    SKIN_TRIANGLES,
    signed_areas,
)
from swaps.engines.classical.pipeline import Change
from swaps.engines.classical.portrait import Portrait
from swaps.engines.classical.types import AnyArray, Floats, Landmarks, Measures, Picture

# Fitted to bench/judgements/score-150.json.
INTERCEPT = 3.614
COEFFICIENTS = {
    "pose_gap": -0.0440,  # per degree
    "tone_gap": -0.0385,  # per unit of Lab
    "sharpness_gap": -0.742,  # whichever is sharper
    "seam": -1.081,
    "change": -0.235,
    "filled": -5.69,
}
_YAW_LIMIT = 35.0  # degrees: beyond, one face shows much that the other hides
_SMALL, _ENLARGED = 96.0, 1.25  # pixels, and times: a small face that is shown larger looks soft
_BLURRED = 0.27  # sharpness: photos in focus have more than .4
_JUDGED = 48.0  # pixels: of smaller faces the sharpness says little
_DARK = 40.0  # L: the lightest parts of a face are darker only where there is little light
_TONE_LIMIT = 40.0  # Lab: one pair of photos in eight
_KEPT_LIMIT, _FILLED_LIMIT = 0.35, 0.45  # of the face
_CELLS = 128  # a side, on which result and target are compared
_BARE = 0.10  # of the face's width: distance from eyes, brows and lips


def _skin_vertices() -> AnyArray:
    """Return the vertices of cheeks and nose, away from eyes, brows, lips, beard and hair."""
    features = CANONICAL[[i for ring in FEATURES for i in ring], :2]
    distance = np.linalg.norm(CANONICAL[:, None, :2] - features, axis=2).min(1)
    is_bare = (distance > _BARE) & (INNER > 0.5) & (AROUND_MOUTH < 0.5) & (ABOVE_JAW > 0.5)
    return np.flatnonzero(is_bare & (FOREHEAD_AND_TEMPLES < 0.2))


_SKIN = _skin_vertices()


def measure(
    source: Portrait, target: Portrait, change: Change, target_picture: Picture
) -> Measures:
    """Return the measures of one swap.

    ``target_picture`` is the picture (H×W×3) that ``change`` belongs to, without the swap.
    """
    source_head, target_head = pose(source.landmarks), pose(target.landmarks)
    side = target.size
    seam, difference = _compare(change, target_picture)
    return Measures(
        pose_gap=math.hypot(
            source_head.yaw - target_head.yaw, source_head.pitch - target_head.pitch
        ),
        hidden=hidden_share(source.landmarks, target.landmarks),
        tone_gap=float(np.linalg.norm(_skin_colour(source) - _skin_colour(target))),
        sharpness_gap=math.log(
            max(source.sharpness(side), 0.01) / max(target.sharpness(side), 0.01)
        ),
        seam=seam,
        change=difference,
        source_size=source.size,
        source_sharpness=source.own_sharpness,
        source_light=source.light,
        enlargement=target.size / max(source.size, 1e-6),
        filled=change.cover.filled,
        kept=change.cover.kept,
        eyes_hidden=change.cover.eyes_hidden,
    )


def score(measures: Measures) -> float:
    """Return the probability, 0…1, that people call the picture clean and the right person."""
    exponent = INTERCEPT + sum(
        COEFFICIENTS[name] * value for name, value in features(measures).items()
    )
    return 1 / (1 + math.exp(-exponent))


def features(measures: Measures) -> dict[str, float]:
    """Return what the score depends on, by the names of ``COEFFICIENTS``."""
    values: dict[str, float] = asdict(measures)
    values["sharpness_gap"] = abs(measures.sharpness_gap)
    return {name: values[name] for name in COEFFICIENTS}


def warnings(measures: Measures) -> list[str]:
    """Return the codes of what may look wrong, the worst first."""
    is_small = measures.source_size < _SMALL and measures.enlargement > _ENLARGED
    is_blurred = measures.source_sharpness < _BLURRED and measures.source_size >= _JUDGED
    found = {
        "yaw": measures.pose_gap > _YAW_LIMIT,
        "source_eyes_hidden": measures.eyes_hidden > 0.5,
        "target_covered": measures.kept > _KEPT_LIMIT,
        "source_covered": measures.filled > _FILLED_LIMIT,
        "dark_source": measures.source_light < _DARK,
        "blurred_source": is_blurred,
        "small_face": is_small,
        "tone": measures.tone_gap > _TONE_LIMIT,
    }
    return [code for code, applies in found.items() if applies]


def hidden_share(source: Landmarks, target: Landmarks) -> float:
    """Return the share (0…1) of the face seen in the target that the source does not show.

    Both are landmarks (468×3). A vertex is shown as far as `geometry.visibility` says.
    """
    areas = np.maximum(signed_areas(target, SKIN_TRIANGLES), 0)
    shown = visibility(source)[SKIN_TRIANGLES].mean(1)
    return float((areas * (1 - shown)).sum() / max(areas.sum(), 1e-6))


def _skin_colour(face: Portrait) -> AnyArray:
    """Return the median colour (Lab) of cheeks and nose, where they are turned to the viewer."""
    turned = _SKIN[visibility(face.landmarks)[_SKIN] > 0.5]
    columns, rows = face.points[turned if len(turned) else _SKIN].astype(int).T
    height, width = face.pixels.shape[:2]
    colours = face.pixels[rows.clip(0, height - 1), columns.clip(0, width - 1)]
    return np.asarray(np.median(lab(colours[None])[0], axis=0))


def _compare(change: Change, picture: Picture) -> tuple[float, float]:
    """Return the seam and the mean difference inside the mask, both in Lab."""
    grid = change.grid
    scale = min(1.0, _CELLS / max(grid.width, grid.height))
    shape = max(2, round(grid.width * scale)), max(2, round(grid.height * scale))
    before, after = (
        lab(shrink_picture(values, *shape)) for values in (grid.crop(picture), change.pixels)
    )
    mask = shrink(change.mask, *shape)
    difference = np.linalg.norm(after - before, axis=2)
    mean = float((difference * mask).sum() / max(float(mask.sum()), 1e-6))
    is_rim = (mask > 0.02) & (mask < 0.6)
    if not is_rim.any():
        return 0.0, mean
    steps = _steps(after)[is_rim].mean() - _steps(before)[is_rim].mean()
    return float(steps) * scale * grid.face / grid.scale / 100, mean


def _steps(colours: Floats) -> Floats:
    """Return how much the colour (H×W×3) changes from cell to cell."""
    across, down = (cv2.Scharr(colours, cv2.CV_32F, *axis) / 32 for axis in ((1, 0), (0, 1)))
    return np.asarray(np.sqrt((across**2 + down**2).sum(2)), np.float32)
