"""Merges what people said about results into the records of a run.

A judgement is about one picture, known by its digest: it holds for every run and method that makes
the same picture again, and for no other. `bench/judgements/` keeps them as data.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

from swaps.engines.classical.types import Picture

FOLDER = Path(__file__).parent.parent / "judgements"
QUESTIONS = ("clean", "person")

Judgement = dict[str, Any]  # digest, source, target, method, judge, clean, person


def digest(picture: Picture) -> str:
    """Return 16 hexadecimal digits of the SHA-256 of a picture's shape and pixels."""
    return hashlib.sha256(repr(picture.shape).encode() + picture.tobytes()).hexdigest()[:16]


def resolve(answers: Mapping[str, Any], key: Mapping[str, Mapping[str, str]]) -> list[Judgement]:
    """Return judgements for the answers of one judge: ``{"judge": …, "answers": {code: …}}``.

    ``key`` says which picture a code stands for. Raises ValueError for an unknown code, or an
    answer without a yes or no (true, false) to each question.
    """
    found = []
    for code, answer in answers["answers"].items():
        if code not in key:
            raise ValueError(f"no picture has the code {code}")
        if not all(isinstance(answer.get(question), bool) for question in QUESTIONS):
            raise ValueError(f"{code}: clean and person need true or false")
        said = {question: answer[question] for question in QUESTIONS}
        found.append({**key[code], "judge": answers["judge"], **said})
    return found


def save(judgements: list[Judgement], folder: Path, name: str) -> Path:
    """Write the judgements of one judge as JSON, one per line."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    lines = ",\n".join(f"  {json.dumps(each, ensure_ascii=False)}" for each in judgements)
    path.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    return path


def load(folder: Path) -> list[Judgement]:
    """Return the judgements of all judges."""
    found: list[Judgement] = []
    for path in sorted(folder.glob("*.json")):
        found += json.loads(path.read_text(encoding="utf-8"))
    return found


def merge(records: Iterable[dict[str, Any]], judgements: list[Judgement]) -> list[dict[str, Any]]:
    """Return the records with ``clean``, ``person`` and ``both``: the share of judges who said so.

    A pair without a result was not kept and shows nobody, as soon as anything is judged.
    """
    by_digest: dict[str, list[Judgement]] = {}
    for judgement in judgements:
        by_digest.setdefault(judgement["digest"], []).append(judgement)
    return [record | _verdict(record, by_digest) for record in records]


def _verdict(record: dict[str, Any], judgements: dict[str, list[Judgement]]) -> dict[str, float]:
    if "error" in record:
        return {"clean": 0.0, "person": 0.0, "both": 0.0} if judgements else {}
    given = judgements.get(record["digest"], [])
    if not given:
        return {}
    return {
        "clean": fmean(each["clean"] for each in given),
        "person": fmean(each["person"] for each in given),
        "both": fmean(each["clean"] and each["person"] for each in given),
    }
