"""Fits the score of swaps/engines/classical/quality.py to pictures that people have judged.

    python -m bench.fit_score MEASURES JUDGEMENTS…

MEASURES is JSON: a list of ``{"digest": …, "measures": {…}}``, where measures are the fields of
`Measures`. JUDGEMENTS are JSON lists of ``{"digest": …, "source": …, "clean": …, "person": …}``. A
picture is good when it is clean and the source's person. A judgement of a picture that was not
measured is left out.

It prints the coefficients (logistic regression, maximum of the penalised likelihood) and how well
they rank pictures of people that they were not fitted to: the area under the ROC curve (AUC), in
folds of which each source's pictures are in one.
"""

import argparse
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench._setup import report
from swaps.engines.classical import quality
from swaps.engines.classical.types import Measures

FOLDS = 10
PENALTY = 1.0  # on standardised coefficients: worth about one judgement
Array = npt.NDArray[np.float64]


def main() -> None:
    parser = argparse.ArgumentParser(description="Fit the score to judgements.")
    parser.add_argument("measures", type=Path)
    parser.add_argument("judgements", type=Path, nargs="+")
    paths = parser.parse_args()
    measures = {each["digest"]: each["measures"] for each in _read(paths.measures)}
    judged = [
        each for path in paths.judgements for each in _read(path) if each["digest"] in measures
    ]
    values = np.array(
        [list(quality.features(Measures(**measures[each["digest"]])).values()) for each in judged]
    )
    is_good = np.array([bool(each["clean"] and each["person"]) for each in judged])
    if is_good.all() or not is_good.any():
        raise SystemExit("There are judgements of one kind only.")
    folds = np.array([zlib.crc32(each["source"].encode()) % FOLDS for each in judged])
    intercept, coefficients = fit(values, is_good)
    today = np.array([quality.COEFFICIENTS[name] for name in quality.COEFFICIENTS])
    figures: dict[str, object] = {
        "judgements": len(judged),
        "good": int(is_good.sum()),
        "AUC of today's score": round(auc(values @ today, is_good), 3),
        "AUC fitted, on other people": round(
            auc(cross_validated(values, is_good, folds), is_good), 3
        ),
        "INTERCEPT": round(intercept, 3),
    }
    figures |= {
        name: round(value, 4)
        for name, value in zip(quality.COEFFICIENTS, coefficients.tolist(), strict=True)
    }
    report("fit_score", figures)


def _read(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return found


def fit(values: Array, is_good: npt.NDArray[np.bool_]) -> tuple[float, Array]:
    """Return intercept and coefficients for ``values`` (n×k), by Newton's method."""
    mean, deviation = values.mean(0), np.maximum(values.std(0), 1e-9)
    x = np.column_stack([np.ones(len(values)), (values - mean) / deviation])
    penalty = np.diag([1e-6, *[PENALTY] * values.shape[1]])
    weights = np.zeros(x.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
        gradient = x.T @ (is_good - p) - penalty @ weights
        step = np.linalg.solve((x * (p * (1 - p))[:, None]).T @ x + penalty, gradient)
        weights = weights + step
        if np.abs(step).max() < 1e-8:
            break
    coefficients = weights[1:] / deviation
    return float(weights[0] - coefficients @ mean), coefficients


def cross_validated(
    values: Array, is_good: npt.NDArray[np.bool_], folds: npt.NDArray[np.int_]
) -> Array:
    """Return for each row what a fit to the rows of the other folds says of it."""
    said = np.zeros(len(values))
    for fold in np.unique(folds):
        others = folds != fold
        intercept, coefficients = fit(values[others], is_good[others])
        said[~others] = intercept + values[~others] @ coefficients
    return said


def auc(said: Array, is_good: npt.NDArray[np.bool_]) -> float:
    """Return the probability that a good picture has the higher score (ties count half)."""
    difference = said[is_good][:, None] - said[~is_good]
    return float(((difference > 0) + 0.5 * (difference == 0)).mean())


if __name__ == "__main__":
    main()
