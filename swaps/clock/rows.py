"""Rows dealt with one after the other: what one of them breaks on holds up none of the others."""

import logging
from collections.abc import Callable, Iterable
from typing import TypeVar

from django.db import models

from swaps.storage import space

BATCH = 50  # rows of one kind, in one step

log = logging.getLogger(__name__)
Row = TypeVar("Row", bound=models.Model)


def each_row(rows: Iterable[Row], deal_with: Callable[[Row], object]) -> None:
    """One that cannot be dealt with holds up none of the others; a full disk holds up all."""
    for row in rows:
        try:
            deal_with(row)
        except Exception as error:
            if space.is_full(error):
                raise
            log.exception("%s=%s could not be dealt with", type(row).__name__, row.pk)
