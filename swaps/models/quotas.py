"""Which table holds the quota of which door."""

from typing import Any

from swaps.models.api_access import ApiAccess
from swaps.models.quota import Door, Quota


def quotas(door: str) -> Any:
    """Return the manager of the rows that count this door's swaps."""
    return ApiAccess.objects if door == Door.API else Quota.objects
