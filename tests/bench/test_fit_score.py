"""The score is fitted to judgements."""

import json
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from bench import fit_score
from bench.fit_score import auc, cross_validated, fit
from swaps.engines.classical import quality
from tests.engines.classical.test_quality import GOOD


def test_coefficients_that_made_the_judgements_are_found_again() -> None:
    random = np.random.default_rng(0)
    values = random.normal([20, 0.1], [10, 0.1], (4000, 2))
    true = 2 - 0.1 * values[:, 0] - 3 * values[:, 1]
    is_good = random.random(4000) < 1 / (1 + np.exp(-true))
    intercept, coefficients = fit(values, is_good)
    assert intercept == pytest.approx(2, abs=0.3)
    assert coefficients == pytest.approx([-0.1, -3], rel=0.25)


def test_what_can_be_told_apart_has_finite_coefficients() -> None:
    values = np.array([[0.0], [1.0], [2.0], [3.0]])
    _, coefficients = fit(values, np.array([False, False, True, True]))
    assert 0 < coefficients[0] < 10


def test_the_auc_is_1_for_a_perfect_order_and_a_half_for_none() -> None:
    is_good = np.array([False, True, True])
    assert auc(np.array([0.1, 0.2, 0.3]), is_good) == 1
    assert auc(np.array([0.3, 0.2, 0.1]), is_good) == 0
    assert auc(np.zeros(3), is_good) == 0.5


def test_a_fold_is_judged_by_the_others() -> None:
    values = np.array([[0.0], [0.0], [1.0], [1.0]])
    is_good = np.array([True, True, False, False])
    by_value = cross_validated(values, is_good, np.array([0, 1, 0, 1]))
    assert auc(by_value, is_good) == 1


def test_files_become_coefficients(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    measures, judgements = [], []
    for i in range(40):
        measures.append({"digest": str(i), "measures": asdict(replace(GOOD, pose_gap=float(i)))})
        good = i < 20
        judgements.append({"digest": str(i), "source": f"p{i}", "clean": good, "person": True})
    judgements.append({"digest": "unknown", "source": "p", "clean": True, "person": True})
    for name, data in (("m.json", measures), ("j.json", judgements)):
        (tmp_path / name).write_text(json.dumps(data))
    monkeypatch.setattr(
        sys, "argv", ["fit_score", str(tmp_path / "m.json"), str(tmp_path / "j.json")]
    )
    monkeypatch.setattr("bench._setup.RESULTS", tmp_path)
    fit_score.main()
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert figures["judgements"] == 40
    assert figures["AUC fitted, on other people"] > 0.9
    assert figures["pose_gap"] < 0
    assert set(quality.COEFFICIENTS) < set(figures)
