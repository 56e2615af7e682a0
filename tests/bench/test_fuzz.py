"""A small slice of the fuzzing that `python -m bench.fuzz` does."""

from collections import Counter

from bench import fuzz, mutations
from tests.paths import PHOTOS


def test_mutated_photos_crash_and_hang_nothing() -> None:
    found = list(fuzz.outcomes_of(fuzz.read_photos(PHOTOS), 1, range(60)))
    assert [number for number, *_ in found] == list(range(60))
    assert [each for each in found if each[1] not in fuzz.EXPECTED] == []
    assert Counter(outcome for _, outcome, *_ in found).keys() == fuzz.EXPECTED
    assert max(peak for *_, peak in found) < 1500


def test_a_number_gives_the_same_photo_again() -> None:
    photos = fuzz.read_photos(PHOTOS)
    first, second = (mutations.mutated(photos, 1, 7) for _ in range(2))
    assert first == second
    assert first != mutations.mutated(photos, 2, 7)
