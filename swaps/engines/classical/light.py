"""Measures the light that falls across a face, and expresses colours so that light is a shift.

Everything is done in ``f``, the cube roots of X, Y and Z (CIE 1976): light that is stronger by a
factor scales all three alike, and 116 f − 16 is lightness. In logarithms a change of light is a
shift, and what is left is the reflectance of skin, lips or hair, whatever the complexion. A *tint*
is H×W×3: log fY, log fX − log fY, and log fZ − log fY.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from swaps.engines.classical.filters import blur, smooth
from swaps.engines.classical.grid import Grid
from swaps.engines.classical.mask import Regions
from swaps.engines.classical.types import Floats, Mask
from swaps.engines.classical.warp import Maps

_TO_F = np.array([[1 / 116, 1 / 500, 0], [1 / 116, 0, 0], [1 / 116, 0, -1 / 200]], np.float32)
_FROM_F = np.array([[0, 116, 0], [500, -500, 0], [0, 200, -200]], np.float32)
_BLACK = 16 / 116  # f of no light
_MIN_F = 0.06  # below lie only colours outside the gamut
_TO_TINT = np.array([[0, 1, 0], [1, -1, 0], [0, -1, 1]], np.float32)
_FROM_TINT = np.array([[1, 1, 0], [1, 0, 0], [1, 0, 1]], np.float32)

_SLICES = 25  # of the face, from side to side
_ABOVE_MOUTH = 0.12  # y in the mean face: below there may be a beard, which is no shadow
_BESIDE_NOSE = 0.09  # x in the mean face: the sides of a nose differ in any light
_MIN_CELLS, _MIN_SLICES = 8, 5
_ROUNDNESS = 0.09  # log f: a head in even light differs by this
_DARKER, _LIGHTER = 1.3, 0.4  # log f: the limits of what is taken for light


def to_f(lab: Floats) -> Floats:
    """Return the cube roots of X, Y and Z (H×W×3) of CIE Lab."""
    f = np.asarray(cv2.transform(lab, _TO_F), np.float32)
    f += np.float32(_BLACK)
    return np.maximum(f, np.float32(_MIN_F), out=f)


def from_f(f: Floats) -> Floats:
    """Return CIE Lab of the cube roots of X, Y and Z (H×W×3)."""
    lab = np.asarray(cv2.transform(f, _FROM_F), np.float32)
    lab[..., 0] -= 16
    return lab


def to_tint(lab: Floats) -> Floats:
    """Return the tint (H×W×3) of CIE Lab."""
    return np.asarray(cv2.transform(np.log(to_f(lab)), _TO_TINT), np.float32)


def from_tint(tint: Floats) -> Floats:
    """Return CIE Lab of a tint (H×W×3)."""
    return from_f(np.exp(np.asarray(cv2.transform(tint, _FROM_TINT), np.float32)))


def blur_within(values: Floats, weights: Mask, sigma: float) -> Floats:
    """Blur only pixels with weights: normalised convolution (Knutsson & Westin 1993).

    ``values`` are H×W or H×W×n, ``sigma`` is in pixels.
    """
    share = np.maximum(blur(weights, sigma), np.float32(1e-5))
    if values.ndim == 2:
        return np.asarray(blur(values * weights, sigma) / share, np.float32)
    return np.asarray(blur(values * weights[..., None], sigma) / share[..., None], np.float32)


@dataclass(frozen=True, kw_only=True)
class SideLight:
    """The light from one side of a face to the other.

    ``log_f`` (H×W) is 0 where the light is full; ``contrast`` is its largest difference.
    """

    log_f: Floats
    contrast: float

    def removed_from(self, lab: Floats) -> Floats:
        """Return the colours (H×W×3, Lab) as they are in even light."""
        if not self.contrast:
            return lab
        return from_f(to_f(lab) * np.exp(-self.log_f)[..., None])


def side_light(lab: Floats, maps: Maps, parts: Regions, covered: Mask) -> SideLight:
    """Measure the light across a face (Lab on the grid), one number per vertical slice.

    Each is the median of plain skin, so the hard edge of a shadow stays hard. ``covered`` (0…1) is
    where glasses or a beard are.
    """
    even = SideLight(log_f=np.zeros(lab.shape[:2], np.float32), contrast=0.0)
    where = (parts.core > 0.5) & (covered < 0.3)
    where &= (maps.down < _ABOVE_MOUTH) & (np.abs(maps.across) > _BESIDE_NOSE)
    slices = np.clip(((maps.across[where] + 0.5) * _SLICES).astype(np.int32), 0, _SLICES - 1)
    order = np.argsort(slices, kind="stable")
    lightness = np.log(np.maximum(lab[..., 0][where] + 16, 8) / 116)[order]
    cuts = np.searchsorted(slices[order], np.arange(_SLICES + 1))
    seen = np.flatnonzero(np.diff(cuts) >= _MIN_CELLS)
    if len(seen) < _MIN_SLICES:
        return even
    medians = [np.median(lightness[cuts[i] : cuts[i + 1]]) for i in seen]
    profile = _light_of(np.interp(np.arange(_SLICES), seen, medians))
    contrast = float(np.ptp(profile))
    if contrast < 0.02:
        return even
    centres = (np.arange(_SLICES) + 0.5) / _SLICES - 0.5
    log_f = np.interp(np.clip(maps.across, -0.5, 0.5), centres, profile)
    return SideLight(log_f=log_f.astype(np.float32), contrast=contrast)


def _light_of(profile: Floats) -> Floats:
    """Return what in a profile of lightness is light: smoothed, and less a head's roundness."""
    smoothed = np.convolve(np.pad(profile, 2, mode="edge"), np.array([1, 4, 6, 4, 1]) / 16, "valid")
    smoothed -= np.percentile(smoothed, 75)
    beyond = np.sign(smoothed) * np.maximum(np.abs(smoothed) - _ROUNDNESS, 0)
    return np.asarray(np.clip(beyond, -_DARKER, _LIGHTER))


def unlit(own: Floats, other: Floats, grid: Grid, maps: Maps, parts: Regions) -> Mask:
    """Return 1 where a face is black for lack of light and its other side is not.

    ``own`` and ``other`` are Lab on the grid: the face, and its mirror image.
    """
    little = np.float32(1e-3) * (parts.distance > 0)
    bare = np.maximum(parts.inner * (1 - parts.features), little)
    dark, lit = (blur_within(side[..., 0], bare, 0.05 * grid.face) for side in (own, other))
    much = smooth(np.log((lit + 16) / (dark + 16)), 0.45, 0.8) * (1 - smooth(dark, 14, 30))
    return np.asarray(much * smooth(maps.mirror_visible, 0.1, 0.5), np.float32)
