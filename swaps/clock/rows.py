"""Steps over many rows, in which an error with one row does not hold up the others."""

import logging
from collections.abc import Callable, Iterable
from typing import TypeVar

from django.db import models

from swaps.storage import space

BATCH = 50  # rows of one kind, in one step

log = logging.getLogger(__name__)
Row = TypeVar("Row", bound=models.Model)


def for_each_row(rows: Iterable[Row], handle: Callable[[Row], object]) -> None:
    """Call a function for each row. Its errors are logged; only a full disk ends the loop."""
    for row in rows:
        try:
            handle(row)
        except Exception as error:
            if space.is_disk_full_error(error):
                raise
            log.exception("%s=%s could not be dealt with", type(row).__name__, row.pk)
