"""Matches the face to the target's sharpness and grain, so that it does not look pasted.

Energies are robust deviations (1.4826 × median) of three frequency bands of luma, measured on skin.
"""

import math
from functools import lru_cache

import numpy as np

from swaps.engines.classical.filters import blur, luma
from swaps.engines.classical.types import AnyArray, Floats, Ints, Mask, Picture

_FINE, _MIDDLE, _COARSE = 0.0, 1.0, 2.2  # sigmas, pixels, of the bands' edges
_DEFOCUS = (0.0, 0.6, 0.9, 1.3, 1.8, 2.5, 3.5)
_SHARPNESS_TOLERANCE = 1.35  # times the target's sharpness: not visible
_TILE = 521  # prime, so that repetitions do not align with the blocks of JPEG
_GRAIN_SIGMA = 0.6
_SAMPLES = 20_000
_WINDOW = 384  # pixels: measuring energies in the middle of the face is enough


def match_detail(face: Floats, region: Picture, skin: Mask, features: Mask, edges: Mask) -> Floats:
    """Return the face (H×W×3 float32, 0…255) as sharp and as grainy as the target's ``region``.

    Sharpness is measured at ``edges`` (> .6): those of ``features`` (eyes, brows and lips) that are
    the source's, since a beard or pores are no sharpness. Texture and grain are matched to those of
    ``skin`` (> .6), and hardly change the features.
    """
    measured = skin > 0.6
    if np.count_nonzero(measured) <= 200:
        return face
    sigma = _defocus(face, region, edges > 0.6)
    if sigma:
        face = blur(face, sigma)
    window, where = _measuring_window(measured)
    target, own = luma(region[window].astype(np.float32)), luma(face[window])
    to_fine, to_middle = _energy(target, _FINE, _MIDDLE, where), _energy(target, 1, 2.2, where)
    fine, middle = _energy(own, _FINE, _MIDDLE, where), _energy(own, _MIDDLE, _COARSE, where)
    fine_gain = float(np.clip(to_fine / max(fine, 0.05), 0.4, 1.5))
    middle_gain = float(np.clip(to_middle / max(middle, 0.05), 0.6, 1.3))
    face = _amplify(face, fine_gain, middle_gain, features)
    missing = to_fine**2 - (fine * fine_gain) ** 2
    if missing > 0.05:
        face += grain(face.shape[:2], math.sqrt(missing) / _fine_band_share(), _GRAIN_SIGMA)[
            ..., None
        ]
    return face


@lru_cache(maxsize=4)
def _grain_tile(sigma: float) -> Floats:
    """Return a tile of seeded film grain with a standard deviation of 1."""
    noise = np.random.default_rng(0).standard_normal((_TILE, _TILE), dtype=np.float32)
    noise = blur(noise, sigma)
    return noise / np.float32(noise.std())


def grain(shape: tuple[int, int], deviation: float, sigma: float) -> Floats:
    """Return film grain (H×W float32) with blur ``sigma`` in pixels, the same at every call.

    ``deviation`` is in levels of 255, at most 3.
    """
    tile = _grain_tile(sigma) * np.float32(min(3.0, deviation))
    rows, columns = (math.ceil(side / _TILE) for side in shape)
    return np.tile(tile, (rows, columns))[: shape[0], : shape[1]]


@lru_cache(maxsize=1)
def _fine_band_share() -> float:
    """Return the deviation of the grain's finest band when that of the grain is 1."""
    tile = _grain_tile(_GRAIN_SIGMA)
    return float((tile - blur(tile, _MIDDLE)).std())


def robust_deviation(values: Floats) -> float:
    """Return the standard deviation estimated from the median, which outliers do not affect."""
    return 1.4826 * float(np.median(np.abs(values))) if values.size else 0.0


def _measuring_window(measured: AnyArray) -> tuple[tuple[slice, slice], Ints]:
    """Return a window with enough measured pixels, and their flat indices in it."""
    rows, columns = np.flatnonzero(measured.any(1)), np.flatnonzero(measured.any(0))
    slices = []
    for used in (rows, columns):
        low, high = int(used[0]), int(used[-1]) + 1
        if high - low > _WINDOW:
            low = (low + high - _WINDOW) // 2
            high = low + _WINDOW
        slices.append(slice(low, high))
    window = slices[0], slices[1]
    places = np.flatnonzero(measured[window])
    return window, places[:: max(1, len(places) // _SAMPLES)].astype(np.int32)


def _energy(values: Floats, low: float, high: float, where: Ints) -> float:
    band = (blur(values, low) if low else values) - blur(values, high)
    return robust_deviation(band.ravel()[where])


def _defocus(face: Floats, region: Picture, edges: AnyArray) -> float:
    """Return the smallest blur (sigma) that makes the face's edges no sharper than the target's."""
    if np.count_nonzero(edges) <= 200:
        return 0.0
    window, where = _measuring_window(edges)
    own, target = luma(face[window]), luma(region[window].astype(np.float32))
    limit = _SHARPNESS_TOLERANCE * _sharpness(target, where)
    for sigma in _DEFOCUS:
        if _sharpness(blur(own, sigma) if sigma else own, where) <= limit:
            break
    return sigma


def _sharpness(values: Floats, where: Ints) -> float:
    """Return how steep the edges are, 0…1, whatever their contrast."""
    softened = blur(values, _COARSE)
    middle = blur(values, _MIDDLE) - softened
    wide = softened - blur(softened, 2 * _COARSE)
    strong, weak = (np.percentile(np.abs(band.ravel()[where]), 90) for band in (middle, wide))
    return float(strong / max(weak, 0.5))


def _amplify(face: Floats, fine_gain: float, middle_gain: float, features: Mask) -> Floats:
    """Multiply both bands by their gain; features lose nothing."""
    middle = blur(face, _MIDDLE)
    coarse = blur(middle, math.sqrt(_COARSE**2 - _MIDDLE**2))
    fine_band = face - middle
    middle -= coarse
    coarse += middle * _gain_per_pixel(middle_gain, features)
    coarse += fine_band * _gain_per_pixel(fine_gain, features)
    return coarse


def _gain_per_pixel(gain: float, features: Mask) -> np.float32 | Floats:
    """Return the gain; where it is below 1, an H×W×1 array that is 1 at the features."""
    if gain >= 1:
        return np.float32(gain)
    return (np.float32(gain) + np.float32(1 - gain) * features)[..., None]
