"""What is wrong with a picture, in words for people, and what they can do about it."""

import contextlib
from collections.abc import Iterator

from swaps.images.types import ImageRefused


def no_memory() -> ImageRefused:
    return ImageRefused(
        "too_many_pixels", "There is not enough memory to open it. Make it smaller and try again."
    )


def broken() -> ImageRefused:
    return ImageRefused(
        "broken", "It is damaged or incomplete. Open it, save it anew as JPEG or PNG and try again."
    )


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


def millions(count: int, *, round_up: bool = True) -> str:
    """Return a count in millions, rounded away from the limit: never "50 MB; 50 MB is the most"."""
    tenths = -(-count // 100_000) if round_up else count // 100_000
    return f"{tenths / 10:,.1f}".removesuffix(".0")
