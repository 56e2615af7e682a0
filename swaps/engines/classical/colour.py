"""Matches the warped face to the target's complexion and light, in CIE Lab."""

import cv2
import numpy as np

from swaps.engines.classical.filters import blur, lab, smooth
from swaps.engines.classical.grid import Grid
from swaps.engines.classical.mask import Regions, Skins
from swaps.engines.classical.mesh import OPENINGS
from swaps.engines.classical.skin import statistics
from swaps.engines.classical.types import AnyArray, Floats, Landmarks, Mask

_MIN_GAIN, _MAX_GAIN = 0.65, 1.5  # of contrast: beyond, noise and pores would show
_LIGHT = 0.9
_WIDE, _NARROW = 0.16, 0.05  # sigmas as fractions of the face: for its light, and for its rim
_STRIP = 32  # rows recoloured at a time, to fit the processor's cache
_KNEE = 86.0  # L: highlights above are compressed so that they do not clip


def transfer(source: AnyArray, target: AnyArray) -> AnyArray:
    """Return the linear map (3×3) between two covariances (3×3) that moves colours least.

    Monge–Kantorovitch linear transfer (Pitié & Kokaram 2007), with clipped singular values.
    """
    noise = 0.5 * np.eye(3)
    values, vectors = np.linalg.eigh(source + noise)
    root = vectors @ np.diag(np.sqrt(values)) @ vectors.T
    inverse = vectors @ np.diag(1 / np.sqrt(values)) @ vectors.T
    values, vectors = np.linalg.eigh(root @ (target + noise) @ root)
    middle = vectors @ np.diag(np.sqrt(np.maximum(values, 0))) @ vectors.T
    u, s, vt = np.linalg.svd(inverse @ middle @ inverse)
    return np.asarray((u * np.clip(s, _MIN_GAIN, _MAX_GAIN)) @ vt)


def match_colour(
    warped: Floats, target: Floats, grid: Grid, parts: Regions, skin: Skins, *, goal: Landmarks
) -> Floats:
    """Return the warped face (H×W×3 float32, 0…255) in the target's colours.

    ``warped`` has the region's pixels, 0…255; ``target`` is Lab on the grid.
    """
    coarse = lab(grid.downsample(warped))
    plain = parts.core * skin.source * skin.target
    if plain.sum() < 50:
        plain = parts.core
    mean, covariance = statistics(coarse, plain)
    to_mean, to_covariance = statistics(target, plain)
    matrix = transfer(covariance, to_covariance)
    # x → A (x − mean) + mean', as one 3×4 matrix
    affine = np.column_stack([matrix, to_mean - matrix @ mean]).astype(np.float32)
    recoloured = np.asarray(cv2.transform(coarse, affine), np.float32)
    light = _light_difference(recoloured, target, grid, parts, skin)
    change = affine.copy()
    change[:, :3] -= np.eye(3, dtype=np.float32)
    light, openings = grid.upsample(light), grid.openings_mask(goal, OPENINGS)
    matched = np.empty_like(warped)
    for top in range(0, len(warped), _STRIP):
        rows = slice(top, top + _STRIP)
        matched[rows] = _apply_change(
            lab(warped[rows]), change, light[rows], openings[rows], mean[0]
        )
    return matched


def _light_difference(
    face: Floats, target: Floats, grid: Grid, parts: Regions, skin: Skins
) -> Floats:
    """Return the difference of the target's blurred skin to the face's (Lab, on the grid)."""
    bare = parts.inner * (1 - parts.features)
    own, other = (bare * np.maximum(p, np.float32(0.02)) for p in (skin.source, skin.target))
    wide = _WIDE * grid.face
    light = _LIGHT * (_blur_within(target, other, wide) - _blur_within(face, own, wide))
    # Once more with less blur at the rim, so that colours agree where the blend is.
    rim = (parts.distance > 0) * (1 - smooth(parts.distance, 0.05 * grid.face, 0.16 * grid.face))
    little = np.asarray(parts.distance > 0, np.float32) * np.float32(0.02)
    own, other = np.maximum(own, little), np.maximum(other, little)
    narrow = _NARROW * grid.face
    seam = _blur_within(target, other, narrow) - _blur_within(face + light, own, narrow)
    light = light + seam * (0.8 * rim * (1 - parts.features))[..., None]
    return blur(np.asarray(light, np.float32), grid.radius(0.01))


def _blur_within(values: Floats, weights: Mask, sigma: float) -> Floats:
    """Blur only pixels with weights: normalised convolution (Knutsson & Westin 1993)."""
    weights = np.asarray(weights, np.float32)
    share = np.maximum(blur(weights, sigma), np.float32(1e-3))
    return np.asarray(blur(values * weights[..., None], sigma) / share[..., None], np.float32)


def _apply_change(
    face: Floats, change: Floats, light: Floats, openings: Mask, skin_lightness: float
) -> Floats:
    """Add the change to the Lab ``face`` and return RGB 0…255; change less where it would show.

    Dark pixels (hair, brows, pupils) get a proportional share: a full shift would turn brows blue,
    and lightening would turn them grey, so that counts for still less. Teeth and the whites of the
    eyes keep most of their own colour.
    """
    shift = np.asarray(cv2.transform(face, change), np.float32)
    shift += light
    lightness, a, b = (np.asarray(plane, np.float32) for plane in cv2.split(face))
    of_lightness, of_a, of_b = (np.asarray(plane, np.float32) for plane in cv2.split(shift))
    share = smooth(lightness, 0.12 * skin_lightness, 0.85 * skin_lightness)
    brightened = np.where(of_lightness > 0, share**2, 0.25 + 0.75 * share)
    lightness += of_lightness * brightened * (1 - 0.35 * openings)
    share *= 1 - 0.85 * openings
    a += of_a * share
    b += of_b * share
    bright = lightness > _KNEE
    lightness[bright] = _KNEE + 12 * np.tanh((lightness[bright] - _KNEE) / 14)
    back = np.asarray(cv2.cvtColor(cv2.merge([lightness, a, b]), cv2.COLOR_LAB2RGB), np.float32)
    return np.clip(back, 0, 1, out=back) * np.float32(255)
