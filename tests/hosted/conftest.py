"""The cast of ``tests/site``."""

from tests.site.conftest import alice, as_alice, as_staff, charlie, staff

__all__ = ("alice", "as_alice", "as_staff", "charlie", "staff")
