"""Chooses the 60 pairs of the picture benchmark by what the photos show, with a fixed seed.

    python -m bench.choose_pairs      (writes bench/pairs60.json from bench/photo_labels.json)

No swap is made or looked at here. The labels were given by eye, except yaw (degrees), which the
engine measured; ``null`` stands for a face that it did not find, and such a photo is in no pair.
"""

import json
import random
from collections import Counter
from itertools import permutations
from pathlib import Path
from typing import Any, TypedDict

HERE = Path(__file__).parent
LABELS = HERE / "photo_labels.json"
PAIRS = HERE / "pairs60.json"
SEED = 11
MAX_USES = 4
MAX_TURN = 45.0  # degrees between the two faces
TURNED = 25.0
SAME_PERSON = {"small-man.jpg", "group-two-people.jpg"}
QUOTAS = {  # pairs drawn for each kind; most pairs are of other kinds as well
    "target_glasses": 8, "source_glasses": 8, "sunglasses": 6, "beard_source": 5,
    "beard_target": 5, "tone": 8, "hair_or_hand": 8, "light": 3, "mouth": 3, "pose": 2,
    "ordinary": 4,
}  # fmt: skip


class Pair(TypedDict):
    """One pair: photos relative to the folder, the kinds of difficulty, and whose skin is dark."""

    source: str
    target: str
    kinds: list[str]
    dark_source: bool
    dark_target: bool


def main() -> None:
    labels = json.loads(LABELS.read_text(encoding="utf-8"))
    lines = ",\n".join(f"  {json.dumps(pair)}" for pair in choose(labels))
    PAIRS.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def choose(labels: list[dict[str, Any]], seed: int = SEED) -> list[Pair]:
    """Draw the pairs of each kind in turn, those photos first that were used least so far."""
    chance = random.Random(seed)
    usable = [label for label in labels if label["yaw"] is not None]
    candidates = [_pair(a, b) for a, b in permutations(usable, 2) if _is_possible(a, b)]
    chance.shuffle(candidates)
    uses: Counter[str] = Counter()
    chosen: list[Pair] = []
    for kind, quota in QUOTAS.items():
        for _ in range(quota):
            free = [p for p in candidates if kind in p["kinds"] and p not in chosen]
            pair = min(free, key=lambda p: _uses(uses, p))
            chosen.append(pair)
            uses.update((pair["source"], pair["target"]))
    if max(uses.values()) > MAX_USES:
        raise ValueError("a photo is in too many pairs")
    return chosen


def kinds_of(source: dict[str, Any], target: dict[str, Any]) -> list[str]:
    """Return what is difficult about a pair of labels: any of QUOTAS, or "ordinary" alone."""
    both = (source, target)
    tests = {
        "target_glasses": target["glasses"] == "clear",
        "source_glasses": source["glasses"] == "clear",
        "sunglasses": any(label["glasses"] == "dark" for label in both),
        "beard_source": source["beard"] == "beard",
        "beard_target": target["beard"] == "beard",
        "tone": {source["skin"], target["skin"]} == {"dark", "fair"},
        "light": any(label["light"] != "even" for label in both),
        "hair_or_hand": any(set(label["occluders"]) & {"hair", "hand", "thing"} for label in both),
        "mouth": {source["mouth"], target["mouth"]} == {"shut", "open"},
        "pose": abs(source["yaw"] - target["yaw"]) > TURNED,
    }
    return [kind for kind, holds in tests.items() if holds] or ["ordinary"]


def _pair(source: dict[str, Any], target: dict[str, Any]) -> Pair:
    return {
        "source": source["photo"],
        "target": target["photo"],
        "kinds": kinds_of(source, target),
        "dark_source": source["skin"] == "dark",
        "dark_target": target["skin"] == "dark",
    }


def _is_possible(source: dict[str, Any], target: dict[str, Any]) -> bool:
    is_one_person = {source["photo"], target["photo"]} == SAME_PERSON
    return not is_one_person and abs(source["yaw"] - target["yaw"]) <= MAX_TURN


def _uses(uses: Counter[str], pair: Pair) -> tuple[int, int]:
    counts = uses[pair["source"]], uses[pair["target"]]
    return max(counts), sum(counts)


if __name__ == "__main__":
    main()
