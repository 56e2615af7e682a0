"""Names of downloaded files, made of the names that people give their swaps."""

import itertools
import re
import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath

from swaps.models import Swap

UNSAFE = re.compile(r"[^\w.-]+")


def safe_stem(name: str) -> str:
    """Return a name in characters that no file system minds; "" when none is left."""
    return UNSAFE.sub("-", unicodedata.normalize("NFC", name)).strip(".-_")


def file_stem(swap: Swap) -> str:
    """Return the file name of a swap's result, without extension: its name, or its date."""
    return safe_stem(swap.name) or f"faceswap-{swap.created_at:%Y-%m-%d-%H%M%S}"


def unique_file_names(swaps: Iterable[Swap]) -> dict[str, str]:
    """Return a file name for each swap, with the object key of its result; "" where there is none.

    Names are unique even where upper and lower case are the same.
    """
    files: dict[str, str] = {}
    taken: set[str] = set()
    for swap in swaps:
        extension = PurePosixPath(swap.result_key).suffix
        stem = file_stem(swap)
        stems = itertools.chain([stem], (f"{stem}-{number}" for number in itertools.count(2)))
        name = next(name for one in stems if (name := one + extension).casefold() not in taken)
        taken.add(name.casefold())
        files[name] = swap.result_key
    return files
