"""Django's backend for PostgreSQL, but rows are deleted after a test instead of tables truncated.

Truncating writes new files for each table, though most are empty: most of a second for all.
"""

from typing import Any

from django.db.backends.postgresql import base
from django.db.backends.postgresql.operations import DatabaseOperations as PostgresqlOperations


class DatabaseOperations(PostgresqlOperations):
    def sql_flush(self, style: Any, tables: Any, **_: Any) -> list[str]:
        """Return a DELETE for each table; foreign keys are checked when all of it is committed."""
        return [f"DELETE FROM {self.quote_name(table)};" for table in tables]


class DatabaseWrapper(base.DatabaseWrapper):
    ops_class = DatabaseOperations
