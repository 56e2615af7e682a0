"""Judges networks on people they have not seen: by photo, by pixel, dark skin apart from fair."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter

from swaps.engines.classical.square import channels
from swaps.engines.classical.types import AnyArray, Floats, Picture
from tools.parse_training.faces import BARE, BEARD, GLASSES, OTHER, Base, Face

Network = Callable[[Floats, Floats], Floats]
_NAMES = ("bare", "beard", "glasses", "other")
_COLOURS = {BEARD: (255, 128, 0), GLASSES: (0, 160, 255), OTHER: (255, 0, 255)}
_PRECISION = 0.95  # thresholds are the lowest with this precision on the other folds
_PRESENT, _ABSENT = 0.06, 0.02  # share of the face labelled as other; between them not judged


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a network said of a face (192×192×4)."""

    base: Base
    found: Floats


@dataclass(frozen=True, kw_only=True)
class Question:
    """Something that a photo shows or not: True, False, or None where it is not judged."""

    name: str
    truth: Callable[[Base], bool | None]
    score: Callable[[Answer], float]


def load_network(path: Path) -> Network:
    """Return a function from colour and maps to the 192×192×4 probabilities."""
    interpreter = Interpreter(str(path), num_threads=1)
    interpreter.allocate_tensors()
    colour, maps = sorted(interpreter.get_input_details(), key=lambda d: -d["shape"][1])
    output = interpreter.get_output_details()[0]["index"]

    def network(colours: Floats, stacked: Floats) -> Floats:
        interpreter.set_tensor(colour["index"], colours[None])
        interpreter.set_tensor(maps["index"], stacked[None])
        interpreter.invoke()
        return np.array(interpreter.get_tensor(output)[0], np.float32)

    return network


def answers(bases: Iterable[Base], network_of: Callable[[Face], Network]) -> list[Answer]:
    """Ask for every face the network that has not seen it."""
    return [
        Answer(base=base, found=network_of(base.face)(*channels(base.picture, base.maps)))
        for base in bases
    ]


def report(every: Sequence[Answer]) -> str:
    """Return the table of one set of networks, as Markdown."""
    rows = [
        "| what | precision | recall | dark skin | fair skin | wrong |",
        "|---|---|---|---|---|---|",
    ]
    rows += [_by_photo(question, every) for question in _QUESTIONS]
    rows += ["", "| pixels | IoU | precision | recall | false alarms on bare: all | dark | fair |",
             "|---|---|---|---|---|---|---|"]  # fmt: skip
    rows += [_by_pixel(kind, every) for kind in range(len(_NAMES))]
    return "\n".join(rows)


def sheet(every: Sequence[Answer], columns: int = 12) -> Picture:
    """Return a contact sheet: what was found, drawn over each face."""
    tiles = []
    for answer in every:
        tile = answer.base.picture.copy()
        for kind, colour in _COLOURS.items():
            alpha = 0.6 * answer.found[..., kind, None]
            tile += alpha * (np.array(colour, np.float32) - tile)
        shown = np.ascontiguousarray(tile.astype(np.uint8)[10:-10, 16:-16])
        cv2.putText(shown, answer.base.face.name[-14:], (2, 10), 0, 0.35, (255, 255, 0), 1)
        tiles.append(shown)
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % columns)
    rows = [np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)]
    return np.asarray(np.vstack(rows), np.uint8)


def threshold(scores: Sequence[float], truths: Sequence[bool]) -> float:
    """Return the threshold of the best recall among those that are precise enough.

    It stands halfway between the lowest score that is accepted and the next one below.
    """
    pairs = sorted(zip(scores, truths, strict=True), reverse=True)
    best, hits = len(pairs), 0
    best_hits = -1
    for count, (_, truth) in enumerate(pairs, 1):
        hits += truth
        if hits / count >= _PRECISION and hits > best_hits:
            best, best_hits = count, hits
    if best_hits < 1:
        return pairs[0][0] + 1e-6
    below = pairs[best][0] if best < len(pairs) else 0.0
    return (pairs[best - 1][0] + below) / 2


def _by_photo(question: Question, every: Sequence[Answer]) -> str:
    judged = [
        (answer.base.face, truth, question.score(answer))
        for answer in every
        if (truth := question.truth(answer.base)) is not None
    ]
    said = []
    for face, _, score in judged:
        others = [(s, t) for other, t, s in judged if other.fold != face.fold]
        said.append(score >= threshold([s for s, _ in others], [t for _, t in others]))
    outcome = [(face, truth, yes) for (face, truth, _), yes in zip(judged, said, strict=True)]
    wrong = [("+" if yes else "−") + face.name for face, truth, yes in outcome if yes != truth]
    of_skin = [_counts([o for o in outcome if o[0].skin == skin]) for skin in ("dark", "fair")]
    cells = [question.name, *_counts(outcome), *("; ".join(c) for c in of_skin), " ".join(wrong)]
    return "| " + " | ".join(cells) + " |"


def _counts(outcome: Sequence[tuple[Face, bool, bool]]) -> tuple[str, str]:
    hits = sum(truth and yes for _, truth, yes in outcome)
    said, there = sum(yes for *_, yes in outcome), sum(truth for _, truth, _ in outcome)
    return f"{hits}/{said}", f"{hits}/{there}"


def _by_pixel(kind: int, every: Sequence[Answer]) -> str:
    both = said = there = 0
    alarms = {"dark": [0, 0], "fair": [0, 0]}
    for answer in every:
        labels = answer.base.labels
        judged = (labels < len(_NAMES)) & (answer.base.maps.hull > 0.5)
        yes = (answer.found.argmax(2) == kind) & judged
        true = (labels == kind) & judged
        both, said, there = both + (yes & true).sum(), said + yes.sum(), there + true.sum()
        bare = (labels == BARE) & judged
        alarms[answer.base.face.skin][0] += int((yes & bare).sum())
        alarms[answer.base.face.skin][1] += int(bare.sum())
    cells = [f"{both / (said + there - both):.2f}", f"{both / said:.2f}", f"{both / there:.2f}"]
    if kind != BARE:
        total = [sum(pair) for pair in zip(*alarms.values(), strict=True)]
        shares = [wrong / pixels for wrong, pixels in (total, alarms["dark"], alarms["fair"])]
        cells += [f"{100 * share:.2f} %" for share in shares]
    return "| " + " | ".join([_NAMES[kind], *cells]) + " |"


def _kind(name: str, *unjudged: str) -> Callable[[Base], bool | None]:
    def truth(base: Base) -> bool | None:
        if name in base.face.kinds:
            return True
        return None if set(unjudged) & set(base.face.kinds) else False

    return truth


def _has_glasses(base: Base) -> bool:
    return bool({"glasses", "dark lenses"} & set(base.face.kinds))


def _has_other(base: Base) -> bool | None:
    share = float((base.labels == OTHER)[base.maps.hull > 0.5].mean())
    return None if _ABSENT < share < _PRESENT else share >= _PRESENT


def _bridge(answer: Answer) -> float:
    """Return how surely a frame crosses the nose: the mean over four columns of the best there."""
    x, y = answer.base.maps.canonical[..., 0], answer.base.maps.canonical[..., 1]
    columns = [
        (np.abs(x - at) < 0.016) & (y > -0.36) & (y < -0.08)
        for at in (-0.045, -0.015, 0.015, 0.045)
    ]
    found: AnyArray = answer.found[..., GLASSES]
    return float(np.mean([found[c].max() if c.any() else 0 for c in columns]))


def _in_eyes(answer: Answer) -> float:
    return float(answer.found[..., GLASSES][answer.base.maps.eyes > 0.5].mean())


def _share(kind: int) -> Callable[[Answer], float]:
    """Return how much of the face is said to be of a kind.

    Where a beard is taken for another thing in front, or the other way round, is told by pixel.
    """
    confused = {BEARD: OTHER, OTHER: BEARD}[kind]

    def share(answer: Answer) -> float:
        judged = (answer.base.maps.hull > 0.5) & (answer.base.labels != confused)
        return float((answer.found[..., kind] > 0.5)[judged].mean())

    return share


_QUESTIONS = (
    Question(name="glasses", truth=_has_glasses, score=_bridge),
    Question(name="dark lenses", truth=_kind("dark lenses"), score=_in_eyes),
    Question(
        name="beard (stubble not judged)", truth=_kind("beard", "stubble"), score=_share(BEARD)
    ),
    Question(name="other", truth=_has_other, score=_share(OTHER)),
)
