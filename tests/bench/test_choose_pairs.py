import json
from collections import Counter

from bench.choose_pairs import LABELS, MAX_USES, PAIRS, QUOTAS, choose, kinds_of


def test_the_pairs_are_those_that_the_seed_draws() -> None:
    labels = json.loads(LABELS.read_text(encoding="utf-8"))
    assert json.loads(PAIRS.read_text(encoding="utf-8")) == choose(labels)


def test_sixty_different_pairs_of_all_kinds_with_no_photo_too_often() -> None:
    pairs = json.loads(PAIRS.read_text(encoding="utf-8"))
    assert len({(pair["source"], pair["target"]) for pair in pairs}) == len(pairs) == 60
    uses = Counter(photo for pair in pairs for photo in (pair["source"], pair["target"]))
    assert max(uses.values()) <= MAX_USES
    kinds = Counter(kind for pair in pairs for kind in pair["kinds"])
    assert all(kinds[kind] >= quota for kind, quota in QUOTAS.items())


def test_kinds_come_from_the_labels_of_both_photos() -> None:
    plain = {
        "glasses": "none", "beard": "none", "occluders": [], "skin": "medium", "light": "even",
        "mouth": "shut", "yaw": 0,
    }  # fmt: skip
    assert kinds_of(plain, plain) == ["ordinary"]
    bearded = plain | {"glasses": "clear", "beard": "beard", "skin": "dark"}
    covered = plain | {"occluders": ["hair"], "skin": "fair", "mouth": "open", "yaw": 30}
    assert kinds_of(bearded, covered) == [
        "source_glasses", "beard_source", "tone", "hair_or_hand", "mouth", "pose",
    ]  # fmt: skip
    assert kinds_of(covered, bearded)[:2] == ["target_glasses", "beard_target"]
