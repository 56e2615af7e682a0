"""An image pyramid, so that many crops of large faces cost little."""

import math

from swaps.engines.classical.filters import shrink_picture
from swaps.engines.classical.types import Picture


class Pyramid:
    """A picture in halved sizes: level k is reduced by 2**k, computed on first use."""

    def __init__(self, picture: Picture) -> None:
        self._levels = [picture]

    def no_finer_than(self, factor: float) -> tuple[Picture, int]:
        """Return the most reduced level whose factor is at most ``factor``, and its factor."""
        level = 0
        while 2 ** (level + 1) <= factor and min(self[level].shape[:2]) > 1:
            level += 1
        return self[level], int(2**level)

    def no_larger_than(self, side: int) -> tuple[Picture, int]:
        """Return the first level whose longer side is at most ``side``, and its factor."""
        longer = max(self[0].shape[:2])
        return self.no_finer_than(2 ** max(0, math.ceil(math.log2(longer / side))))

    def __getitem__(self, level: int) -> Picture:
        while len(self._levels) <= level:
            rows, columns = self._levels[-1].shape[:2]
            half = shrink_picture(self._levels[-1], max(1, columns // 2), max(1, rows // 2))
            self._levels.append(half)
        return self._levels[level]
