"""Reserves space inside SQLite's own files, so that it can write for a while when the disk is full.

The reserve is free pages in the database and a write-ahead log of the same length. A checkpoint
lets the log start over; SQLite makes one after 1,000 pages, which is less than the reserve.
"""

import datetime
from pathlib import Path

from django.db import connection

from swaps.storage import space

RESERVE_BYTES = 8_000_000


def refill_reserve(_now: datetime.datetime) -> None:
    """Refill the reserve when less than half of it is left. Two processes at once do no harm."""
    if connection.vendor != "sqlite" or connection.in_atomic_block or space.is_low():
        return
    with connection.cursor() as cursor:
        if reserve() >= RESERVE_BYTES // 2:
            return
        cursor.execute("CREATE TABLE IF NOT EXISTS swaps_reserve (filler BLOB)")
        cursor.execute("INSERT INTO swaps_reserve VALUES (zeroblob(%s))", [RESERVE_BYTES])
        cursor.execute("DROP TABLE IF EXISTS swaps_reserve")
        cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")


def reserve() -> int:
    """Return how many bytes SQLite can write without taking more of the disk."""
    free = _pragma("freelist_count") * _pragma("page_size")
    log = Path(f"{connection.settings_dict['NAME']}-wal")
    return min(free, log.stat().st_size if log.exists() else 0)


def _pragma(name: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA {name}")
        value: int = cursor.fetchone()[0]
    return value
