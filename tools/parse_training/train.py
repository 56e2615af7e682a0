"""Trains one network on the drawn samples, and exports it every few minutes.

Runs with tensorflow alone, in the venv of requirements.txt:
``python -m tools.parse_training.train FOLD``; fold 0…2 leaves these people out, ``all`` nobody.
"""

import argparse
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from tools.parse_training.network import build, export

BATCH = 12
_CROP = 128  # most steps see only so much of the square: the face fills 132
_RATE, _WARM_UP = 3e-3, 50
_WEIGHTS = (1.0, 1.1, 1.5, 1.0)  # of bare, beard, glasses, other: rare glasses count for more
_COLOUR_STEPS, _MAP_STEPS = 25, 60  # as samples.py stores them
_EXPORT_SECONDS = 240
_MEASURED = 30  # batches of whole squares by which normalization is measured again
_IGNORED = 255
Batch = tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]


def main() -> None:
    root = Path(__file__).resolve().parent.parent.parent
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("fold", choices=("0", "1", "2", "all"))
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--start", type=Path, help="weights to go on from")
    parser.add_argument("--share", type=float, default=1.0, help="of the new weights in the end")
    parser.add_argument("--rate", type=float, default=_RATE)
    parser.add_argument("--work", type=Path, default=root / "var" / "parse")
    given = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    train(given.fold, given.steps, given.work, given.start, share=given.share, rate=given.rate)


def train(
    fold: str, steps: int, work: Path, start: Path | None, *, share: float, rate: float
) -> None:
    """Train on all folds but one; write ``fold0.weights.h5`` and ``fold0.tflite`` (or ``all``)."""
    name = "all" if fold == "all" else f"fold{fold}"
    tf.keras.utils.set_random_seed(7)
    model = build()
    if start:
        model.load_weights(start)
    begun = model.get_weights()
    optimizer = tf.keras.optimizers.Adam(rate, beta_2=0.99)
    step = _step_of(model, optimizer)
    began = exported = time.monotonic()
    smoothed = None
    for number, batch in enumerate(_batches(work / "samples", fold, steps)):
        turn = min(1, (number + 1) / _WARM_UP) * (0.5 + 0.5 * np.cos(np.pi * number / steps))
        optimizer.learning_rate.assign(rate * turn + 2e-5)
        loss = float(step(*batch))
        smoothed = loss if smoothed is None else 0.97 * smoothed + 0.03 * loss
        now = time.monotonic()
        if number % 50 == 0:
            print(f"{name} step {number} loss {smoothed:.4f} {now - began:.0f} s", flush=True)
        if now - exported > _EXPORT_SECONDS:
            _save(model, work / name)
            exported = now
    if share < 1:
        _average(model, begun, share, _batches(work / "samples", fold, _MEASURED, cropped=0))
    _save(model, work / name)


def _save(model: Any, path: Path) -> None:
    model.save_weights(path.with_suffix(".weights.h5"))
    export(model, path.with_suffix(".tflite"))


def _average(model: Any, begun: list[Any], share: float, batches: Iterator[Batch]) -> None:
    """Average the weights with those at the start, and measure the normalization again.

    The mean of a network and what became of it by further training errs less on photos that are
    unlike the training's (Wortsman 2022): here it makes the fewest false alarms.
    """
    trained = model.get_weights()
    model.set_weights(
        [(1 - share) * old + share * new for old, new in zip(begun, trained, strict=True)]
    )
    for layer in model.layers:
        if isinstance(layer, tf.keras.layers.BatchNormalization):
            layer.momentum = 0.9
    for colour, maps, _ in batches:
        model([colour, maps], training=True)


def _step_of(model: Any, optimizer: Any) -> Callable[..., Any]:
    weights = tf.constant(_WEIGHTS)

    @tf.function  # type: ignore[untyped-decorator]
    def step(colour: Any, maps: Any, labels: Any) -> Any:
        with tf.GradientTape() as tape:
            logits = model([colour, maps], training=True)
            known = tf.minimum(labels, 3)
            weight = tf.gather(weights, known) * tf.cast(labels < 4, tf.float32)
            entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(known, logits)
            loss = tf.reduce_sum(entropy * weight) / tf.reduce_sum(weight)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    return step  # type: ignore[no-any-return]


def _batches(folder: Path, fold: str, steps: int, cropped: float = 0.9) -> Iterator[Batch]:
    """Yield batches from the shards of all other folds, also from those that appear meanwhile.

    The first share of them is cropped.
    """
    dice = np.random.default_rng(7)
    shards: dict[Path, dict[str, npt.NDArray[Any]]] = {}
    for number in range(steps):
        if number % 40 == 0:
            for path in sorted(folder.glob("[0-9]/[0-9][0-9][0-9].npz")):
                if path.parent.name != fold and path not in shards:
                    with np.load(path) as arrays:
                        shards[path] = dict(arrays)
        some = [list(shards.values())[i] for i in dice.integers(len(shards), size=BATCH)]
        rows = [int(dice.integers(len(shard["labels"]))) for shard in some]
        picked = [
            [shard[key][row] for shard, row in zip(some, rows, strict=True)]
            for key in ("colours", "maps", "labels")
        ]
        colours, maps, labels = (np.stack(values) for values in picked)
        yield _varied(colours, maps, labels, dice, whole=number >= cropped * steps)


def _varied(
    colours: npt.NDArray[Any],
    maps: npt.NDArray[Any],
    labels: npt.NDArray[Any],
    dice: np.random.Generator,
    *,
    whole: bool,
) -> Batch:
    """Crop, mirror and re-colour a batch; the last part of the training sees whole squares."""
    side = colours.shape[1]
    if not whole:
        off = (side - _CROP) // 2 + dice.normal(0, 10, 2)
        x, y = (2 * int(v / 2) for v in np.clip(off, 0, side - _CROP))
        colours = colours[:, y : y + _CROP, x : x + _CROP]
        labels = labels[:, y : y + _CROP, x : x + _CROP]
        maps = maps[:, y // 2 : (y + _CROP) // 2, x // 2 : (x + _CROP) // 2]
    colour = colours.astype(np.float32) / _COLOUR_STEPS
    mesh = maps.astype(np.float32) / _MAP_STEPS
    if dice.random() < 0.5:
        colour, mesh, labels = colour[:, :, ::-1], mesh[:, :, ::-1].copy(), labels[:, :, ::-1]
        mesh[..., 0] *= -1
    gain = np.exp(dice.normal(0, 0.12, (len(colour), 1, 1, 3))).astype(np.float32)
    return np.clip(colour * gain, -5, 5), mesh, labels.astype(np.int32)


if __name__ == "__main__":
    main()
