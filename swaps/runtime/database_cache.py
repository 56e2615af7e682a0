"""The cache in the database, which forgets nothing before its time: locks and limits lie there."""

import datetime
from typing import Any

from django.core.cache.backends.db import DatabaseCache
from django.db import connections, router
from django.utils import timezone

MAX_DELETED = 5000  # by one statement


class LastingDatabaseCache(DatabaseCache):
    """Django's own deletes entries that still hold when there are too many.

    So a stranger who fills it would open locks. Here only what has expired goes:
    entries of limits within hours, known addresses of an account after 90 days.
    """

    _table: str  # Django has no types for it

    def _cull(self, db: str, cursor: Any, now: datetime.datetime, num: int) -> None:
        self._delete_expired(db, cursor)

    def delete_expired(self) -> None:
        """The oldest ones; for the clock."""
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
