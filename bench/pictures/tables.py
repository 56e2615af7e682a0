"""Sums up the records of a run by method, kind of pair and skin, and prints them as tables.

A record is a dict of one method's result on one pair: the pair's fields, ``method``, the figures
of the steps, and ``clean``, ``person`` and ``both`` (0…1) where somebody judged it.
"""

from collections.abc import Callable, Iterable
from statistics import fmean, median
from typing import Any

import numpy as np

from bench.fit_score import auc

Record = dict[str, Any]
SAME_PERSON = 0.6
DISTANCES = ("to_source", "to_target")
MEANS = {  # of the records that have it: decimals
    "landmarks_moved": 2, "yaw": 2, "pitch": 2, "roll": 2, "pose": 2, "mouth": 3, "eyes": 3,
}  # fmt: skip


def summary(records: Iterable[Record]) -> dict[str, dict[str, dict[str, Any]]]:
    """Return method → split → figures; splits are "all", the kinds, and dark or fair skin."""
    methods: dict[str, list[Record]] = {}
    for record in records:
        methods.setdefault(record["method"], []).append(record)
    return {
        method: {name: figures(part) for name, part in splits(rows).items()}
        for method, rows in methods.items()
    }


def splits(records: list[Record]) -> dict[str, list[Record]]:
    """Return the records of each split; a pair of several kinds is in each of them."""
    kinds = list(dict.fromkeys(kind for record in records for kind in record["kinds"]))
    by_skin: dict[str, Callable[[Record], bool]] = {
        "dark source": lambda record: record["dark_source"],
        "dark target": lambda record: record["dark_target"],
        "dark skin": lambda record: record["dark_source"] or record["dark_target"],
        "no dark skin": lambda record: not (record["dark_source"] or record["dark_target"]),
    }
    return (
        {"all": records}
        | {kind: [r for r in records if kind in r["kinds"]] for kind in sorted(kinds)}
        | {name: [r for r in records if holds(r)] for name, holds in by_skin.items()}
    )


def figures(records: list[Record]) -> dict[str, Any]:
    """Return counts, means (of ``ms`` the median), and shares in % of those measured or judged.

    Distances count where the judge found all three faces. ``clean``, ``person`` and ``both`` at
    once are what people said; ``clean_same`` takes the distances for the person: clean, below
    SAME_PERSON and nearer to the source.
    ``score_auc`` is how well the engine's score tells which pictures are both (area under the ROC).
    """
    done = [record for record in records if "error" not in record]
    measured = [record for record in done if _is_measured(record)]
    judged = [record for record in records if "clean" in record]
    return {
        "pairs": len(records),
        "swapped": len(done),
        "measured": len(measured),
        "same": _share(measured, is_same),
        "nearer": _share(measured, is_nearer),
        **{name: _mean(measured, name, 3) for name in DISTANCES},
        **{name: _mean(done, name, decimals) for name, decimals in MEANS.items()},
        "ms": _median([record["ms"] for record in done]),
        "changed outside": sum(bool(record.get("outside")) for record in done),
        "judged": len(judged),
        "clean": _share(judged, lambda record: record["clean"]),
        "person": _share(judged, lambda record: record["person"]),
        "both": _share(judged, lambda record: record["both"]),
        "clean_same": _share(
            judged, lambda record: record["clean"] * (is_same(record) and is_nearer(record))
        ),
        "score_auc": _score_auc([record for record in judged if "score" in record]),
    }


def is_same(record: Record) -> bool:
    return _is_measured(record) and record["to_source"] < SAME_PERSON


def is_nearer(record: Record) -> bool:
    """Return whether the result is nearer to the source than to the target."""
    return _is_measured(record) and record["to_source"] < record["to_target"]


def _is_measured(record: Record) -> bool:
    return all(record.get(distance) is not None for distance in DISTANCES)


def text(summed: dict[str, dict[str, dict[str, Any]]]) -> str:
    """Return one table per split: a row per figure, a column per method."""
    lines = []
    for split in next(iter(summed.values()), {}):
        lines.append(f"{split:18}" + "".join(f"{method:>12}" for method in summed))
        for name in next(iter(summed.values()))[split]:
            cells = [summed[method][split][name] for method in summed]
            if any(cell is not None for cell in cells):
                lines.append(f"  {name:16}" + "".join(f"{_cell(cell):>12}" for cell in cells))
        lines.append("")
    return "\n".join(lines)


def _cell(value: float | None) -> str:
    return "–" if value is None else f"{value:g}"


def _share(records: list[Record], holds: Callable[[Record], float]) -> float | None:
    return round(100 * fmean(holds(record) for record in records), 1) if records else None


def _score_auc(records: list[Record]) -> float | None:
    is_good = np.array([record["both"] > 0.5 for record in records], bool)
    if is_good.all() or not is_good.any():
        return None
    return round(auc(np.array([record["score"] for record in records]), is_good), 3)


def _median(values: list[float]) -> float | None:
    return round(median(values)) if values else None


def _mean(records: list[Record], name: str, decimals: int) -> float | None:
    values = [record[name] for record in records if record.get(name) is not None]
    return round(fmean(values), decimals) if values else None
