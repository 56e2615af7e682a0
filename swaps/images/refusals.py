"""Refusals of pictures that several modules raise, and how their numbers are rounded."""

import contextlib
from collections.abc import Iterator

from swaps.images.types import ImageRefused


def no_memory() -> ImageRefused:
    """Return the refusal of a picture that takes more memory than there is."""
    return ImageRefused("too_many_pixels.memory")


def broken() -> ImageRefused:
    """Return the refusal of a damaged picture."""
    return ImageRefused("broken.file")


@contextlib.contextmanager
def refusing() -> Iterator[None]:
    """Turn every exception of a decoder in this block into an ``ImageRefused``."""
    try:
        yield
    except ImageRefused:
        raise
    except MemoryError:
        raise no_memory() from None
    except Exception:  # noqa: BLE001  decoders raise a dozen classes for bad bytes, none documented
        # The library's message does not help the user, and may name a path.
        raise broken() from None


def millions(count: int, *, round_up: bool = True) -> float:
    """Return a count in millions, rounded away from the limit: never "50 MB; 50 MB is the most"."""
    tenths = -(-count // 100_000) if round_up else count // 100_000
    return tenths / 10
