"""Trains the network that parses faces: python -m tools.parse_training COMMAND.

``draw`` writes samples, ``evaluate`` judges networks on people they have not seen, ``ship`` puts
the one trained on all into the engine. Between draw and evaluate comes ``train.py``, which has
requirements of its own; ``make train-parse`` does it all.
"""

import argparse
import hashlib
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import cv2

from tools.parse_training.evaluate import Network, answers, load_network, report, sheet
from tools.parse_training.faces import FOLDS, ROOT, Base, Face, faces, load
from tools.parse_training.samples import write_shard

SHIPPED = ROOT / "swaps" / "engines" / "classical" / "parse.tflite"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.parse_training", description=__doc__)
    parser.add_argument("command", choices=("draw", "evaluate", "ship"))
    parser.add_argument("--photos", type=Path, default=ROOT.parent / "shared" / "photos")
    parser.add_argument("--work", type=Path, default=ROOT / "var" / "parse")
    parser.add_argument("--shards", type=int, default=12, help="of 150 samples, for each fold")
    given = parser.parse_args()
    if given.command == "ship":
        _ship(given.work)
        return
    bases = [load(face, given.photos) for face in faces()]
    if given.command == "draw":
        _draw(bases, given.work / "samples", given.shards)
    else:
        _evaluate(bases, given.work)


def _draw(bases: list[Base], folder: Path, shards: int) -> None:
    for shard in range(shards):
        for fold in range(FOLDS):
            path = folder / str(fold) / f"{shard:03}.npz"
            if path.exists():
                continue
            people = [base for base in bases if base.face.fold == fold]
            seconds = write_shard(path, people, seed=1000 * shard + fold)
            print(f"{path} {1000 * seconds:.0f} ms a sample", flush=True)


def _evaluate(bases: list[Base], work: Path) -> None:
    found = answers(bases, _unseeing(work))
    print(report(found))
    cv2.imwrite(str(work / "sheet.png"), sheet(found)[..., ::-1])


def _unseeing(work: Path) -> Callable[[Face], Network]:
    """Return a function that gives for each face the network that has not seen it."""

    @cache
    def network(fold: int) -> Network:
        return load_network(work / f"fold{fold}.tflite")

    return lambda face: network(face.fold)


def _ship(work: Path) -> None:
    shutil.copyfile(work / "all.tflite", SHIPPED)
    digest = hashlib.sha256(SHIPPED.read_bytes()).hexdigest()
    SHIPPED.with_name("parse.tflite.sha256").write_text(f"{digest}  parse.tflite\n", "utf-8")


if __name__ == "__main__":
    main()
