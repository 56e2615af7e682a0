"""Room inside SQLite's own files: it goes on writing for a while when its disk is full.

Pages that are free in the database, and a write-ahead log that is as long already. The log starts
from its beginning after each checkpoint, which takes more than the 1,000 pages after which SQLite
makes one.
"""

import datetime
from pathlib import Path

from django.db import connection

from swaps.storage import space

RESERVE_BYTES = 8_000_000


def keep_reserve(_now: datetime.datetime) -> None:
    """Make it when less than half of it is left. Two at once do no harm."""
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
    """Bytes that can be written without taking any of the disk."""
    free = _pragma("freelist_count") * _pragma("page_size")
    log = Path(f"{connection.settings_dict['NAME']}-wal")
    return min(free, log.stat().st_size if log.exists() else 0)


def _pragma(name: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA {name}")
        value: int = cursor.fetchone()[0]
    return value
