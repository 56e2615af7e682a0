"""Runs the methods on the pairs, and measures each result."""

import json
import shutil
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import cache, partial
from pathlib import Path
from typing import Any

from bench.choose_pairs import Pair
from bench.pictures import baselines, faces, measures, releases
from bench.pictures.judgements import digest
from bench.pictures.tables import Record
from swaps.engines.classical import Engine
from swaps.engines.classical.types import Landmarks

Judge = Callable[[list[list[str]]], list[list[float | None]]]

METHODS = ("before", "after", *baselines.BASELINES)


def read_pairs(path: Path, limit: int | None) -> list[Pair]:
    """Read the pairs; of more than ``limit`` as many, evenly spread over the file."""
    pairs: list[Pair] = json.loads(path.read_text(encoding="utf-8"))
    if limit is None or limit >= len(pairs):
        return pairs
    return [pairs[number * len(pairs) // limit] for number in range(limit)]


def run(
    pairs: Sequence[Pair],
    photos: Path,
    folder: Path,
    *,
    root: Path,
    methods: Sequence[str],
    before: str,
    judge: Judge,
) -> list[Record]:
    """Return a record for each pair and method; results are written into ``folder``.

    ``root`` is this checkout, ``before`` the commit to compare with, ``judge`` measures distances
    as bench.quality does. The methods take turns, so whatever else the machine does slows all of
    them alike.
    """
    models = root / "var" / "models"
    engine = Engine(models)
    results = folder / "results"
    shutil.rmtree(results, ignore_errors=True)
    results.mkdir(parents=True)
    with ExitStack() as stack:
        swaps: dict[str, releases.Swap] = {
            name: partial(baselines.swap_with, baseline, engine)
            for name, baseline in baselines.BASELINES.items()
        }
        if "after" in methods:
            swaps["after"] = stack.enter_context(releases.engine_of(root, models))
        if "before" in methods:
            release = releases.export(root, before, folder)
            swaps["before"] = stack.enter_context(releases.engine_of(release, models))
        records: list[Record] = [
            _swap(method, swaps[method], pair, photos, results / f"{number:03}-{method}.png")
            for number, pair in enumerate(pairs, 1)
            for method in methods
        ]
    find = cache(lambda path: _face(engine, path))
    for record in records:
        if "error" not in record:
            record.update(_measure(find, photos / record["target"], Path(record["result"])))
    _add_distances(records, photos, judge)
    return records


def _swap(method: str, swap: releases.Swap, pair: Pair, photos: Path, result: Path) -> Record:
    figures = swap(photos / pair["source"], photos / pair["target"], result)
    return {**pair, "method": method, "result": str(result), **figures}


def _face(engine: Engine, path: Path) -> Landmarks | None:
    return faces.landmarks(engine, faces.read(path))


def _measure(
    find: Callable[[Path], Landmarks | None], target: Path, result: Path
) -> dict[str, Any]:
    face = find(target)
    if face is None:
        raise SystemExit(f"the engine of this checkout finds no face in {target}")
    pixels = faces.read(result)
    compared = measures.compare(faces.read(target), face, pixels, find(result))
    return {"digest": digest(pixels), **compared}


def _add_distances(records: list[Record], photos: Path, judge: Judge) -> None:
    """Add the judge's distances to source and target; None where it finds no face."""
    done = [record for record in records if "error" not in record]
    triples = [
        [record["result"], str(photos / record["source"]), str(photos / record["target"])]
        for record in done
    ]
    for record, (to_source, to_target) in zip(done, judge(triples), strict=True):
        record.update(to_source=to_source, to_target=to_target)
