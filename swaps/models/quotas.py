"""The quota of either door: which rows count its swaps."""

from typing import Any

from swaps.models.api_access import ApiAccess
from swaps.models.quota import Door, Quota


def quotas(door: str) -> Any:
    """The rows that count the swaps of this door."""
    return ApiAccess.objects if door == Door.API else Quota.objects
