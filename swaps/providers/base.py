"""What a provider is: it performs swaps. Frozen words, no Django."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class SwapRequest:
    """Object keys of the two pictures in our storage."""

    source_key: str
    target_key: str


@dataclass(frozen=True, kw_only=True)
class Finished:
    """The result, encoded and marked as made by AI, with its thumbnail."""

    data: bytes
    thumbnail: bytes
    extension: str
    width: int
    height: int
    warnings: tuple[str, ...]


class Provider(Protocol):
    def submit(self, request: SwapRequest) -> Finished:
        """Perform the swap; raises ``swaps.errors.SwapError`` when it cannot be done."""
