"""Which face goes onto which: the form in which a swap keeps its pairs of faces."""

from collections.abc import Sequence
from typing import Literal, TypedDict

MAX_PAIRS = 6  # and so many source pictures, at most

Point = Sequence[float]  # x and y of the upright picture, 0…1


class Pair(TypedDict):
    """One face and where it goes.

    ``source`` is the number of the source picture: 0 is the swap's ``source_key``, the others are
    its ``more_source_keys``. Without ``source_face`` it is the largest face of that picture; and
    ``target_face`` may be a point, ``"all"`` faces, or None for the largest.
    """

    source: int
    source_face: Point | None
    target_face: Point | Literal["all"] | None


def one_pair(
    source_face: Point | None = None, target_face: Point | Literal["all"] | None = None
) -> list[Pair]:
    """Return the pairs of a swap with one source; an empty list when nothing was chosen."""
    if source_face is None and target_face is None:
        return []
    return [Pair(source=0, source_face=source_face, target_face=target_face)]
