"""Classifies skin by colour: near the colours of the cheeks, nose and chin."""

import cv2
import numpy as np

from swaps.engines.classical.filters import smooth
from swaps.engines.classical.types import AnyArray, Floats, Mask

# Added to the variances of L, a, b: within one face lightness varies much, hue little.
_TOLERANCE = np.diag([60.0, 6.0, 6.0])


def statistics(colours: Floats, weights: Mask) -> tuple[AnyArray, AnyArray]:
    """Return the weighted mean (3) and covariance (3×3), without outliers beyond 2.2 deviations."""
    used = weights > 0
    x, w = colours[used].astype(np.float64), weights[used].astype(np.float64)
    w /= max(w.sum(), 1e-9)
    mean = w @ x
    deviation = np.sqrt(w @ (x - mean) ** 2)
    w = w * (np.abs(x - mean) < 2.2 * deviation + 1e-3).all(1)
    w /= max(w.sum(), 1e-9)
    mean = w @ x
    centred = x - mean
    return mean, (centred * w[:, None]).T @ centred


class Skin:
    """The skin colour of one face, learnt from its ``core`` (Lab)."""

    def __init__(self, colours: Floats, core: Mask) -> None:
        self._mean, covariance = statistics(colours, core)
        self._whiten = np.linalg.cholesky(np.linalg.inv(covariance + _TOLERANCE))

    def distance(self, colours: Floats) -> Floats:
        """Return the Mahalanobis distance of every pixel from the skin's colour."""
        matrix = np.column_stack([self._whiten.T, -self._whiten.T @ self._mean])
        whitened = np.asarray(cv2.transform(colours, matrix.astype(np.float32)), np.float32)
        return np.asarray(np.sqrt((whitened**2).sum(2)), np.float32)

    def _lenient_distance(self, colours: Floats) -> Floats:
        # Highlights are still skin, shadows may be hair.
        distance = self.distance(colours)
        return np.where(colours[..., 0] < self._mean[0], distance, 0.8 * distance)

    def strict_probability(self, colours: Floats) -> Mask:
        """Return the probability of skin, 0…1, that is high for typical colours only."""
        return 1 - smooth(self._lenient_distance(colours), 1.9, 3.1)

    def lenient_probability(self, colours: Floats) -> Mask:
        """Return the probability of skin, 0…1, that also allows for shading."""
        return 1 - smooth(self._lenient_distance(colours), 3.0, 5.0)
