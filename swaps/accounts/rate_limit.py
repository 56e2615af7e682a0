"""The rate limit: how many calls and forms an account may send in a minute.

Windows are fixed minutes; each request is counted in one statement.
"""

import datetime
from dataclasses import dataclass
from typing import Any, Literal

from django.conf import settings
from django.db.models import QuerySet

from swaps import errors
from swaps.models import CallCount, FormCount, PhotoCount, User
from swaps.models.counters import increment_counter

MINUTE = datetime.timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class Rate:
    """The state of a limit in this minute. ``reset`` is when it ends, as Unix time in seconds."""

    limit: int
    remaining: int
    reset: int


def count_call(user: User, now: datetime.datetime) -> tuple[Rate, bool]:
    """Count one call; the second value is False when there was none left."""
    return _count(CallCount.objects.all(), settings.FACESWAP_API_CALLS_PER_MINUTE, user, now)


def count_form(user: User, now: datetime.datetime) -> tuple[Rate, bool]:
    """Count one form with photos before these are opened; False when there was none left."""
    return _count(FormCount.objects.all(), settings.FACESWAP_FORMS_PER_MINUTE, user, now)


def count_photo(user: User, now: datetime.datetime) -> tuple[Rate, bool]:
    """Count one photo sent ahead of its swap; False when there was none left."""
    return _count(PhotoCount.objects.all(), settings.FACESWAP_PHOTOS_PER_MINUTE, user, now)


def _count(
    counts: QuerySet[Any], limit: int, user: User, now: datetime.datetime
) -> tuple[Rate, bool]:
    minute = now.replace(second=0, microsecond=0)
    may_call = increment_counter(counts, limit=limit, user=user, minute=minute)
    used = counts.values_list("count", flat=True).get(user=user, minute=minute)
    reset = int((minute + MINUTE).timestamp())
    return Rate(limit=limit, remaining=max(0, limit - used), reset=reset), may_call


def refusal(
    rate: Rate, now: datetime.datetime, kind: Literal["calls", "forms", "pictures"] = "calls"
) -> errors.TooManyRequests:
    """Return the error for a call or a form beyond the rate."""
    seconds = max(1, rate.reset - int(now.timestamp()))
    return errors.TooManyRequests(kind, retry_after=seconds, limit=rate.limit, seconds=seconds)
