"""A database cache that never evicts valid entries: login locks and rate limits are kept in it."""

import datetime
from typing import Any

from django.core.cache.backends.db import DatabaseCache
from django.db import connections, router
from django.utils import timezone

MAX_DELETED = 5000  # rows in one statement


class LastingDatabaseCache(DatabaseCache):
    """Deletes expired entries only, where Django's cache evicts valid ones when it is full.

    Otherwise a stranger could fill it to reset the limits. Entries of limits expire within hours,
    known addresses of an account after 90 days.
    """

    _table: str  # Django has no types for it

    def _cull(self, db: str, cursor: Any, now: datetime.datetime, num: int) -> None:
        self._delete_expired(db, cursor)

    def delete_expired(self) -> None:
        """Delete the oldest expired entries; the clock calls it."""
        db = router.db_for_write(self.cache_model_class)
        with connections[db].cursor() as cursor:
            self._delete_expired(db, cursor)

    def _delete_expired(self, db: str, cursor: Any) -> None:
        connection = connections[db]
        table = connection.ops.quote_name(self._table)
        now = connection.ops.adapt_datetimefield_value(timezone.now().replace(microsecond=0))
        cursor.execute(
            f"DELETE FROM {table} WHERE cache_key IN "  # noqa: S608
            f"(SELECT cache_key FROM {table} WHERE expires < %s ORDER BY expires LIMIT %s)",
            [now, MAX_DELETED],
        )
