"""How many calls an account may make in a minute: fixed windows, counted by one statement."""

import datetime
from dataclasses import dataclass

from django.conf import settings

from swaps import errors
from swaps.models import CallCount, User
from swaps.models.api_key import count_up

MINUTE = datetime.timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class Rate:
    """What is left of this minute, as the headers say it. ``reset`` is Unix time in seconds."""

    limit: int
    remaining: int
    reset: int


def take(user: User, now: datetime.datetime) -> tuple[Rate, bool]:
    """Count one call; False when there was none left."""
    minute = now.replace(second=0, microsecond=0)
    limit = settings.FACESWAP_API_CALLS_PER_MINUTE
    counts = CallCount.objects.all()
    may_call = count_up(counts, limit=limit, user=user, minute=minute)
    used = counts.values_list("count", flat=True).get(user=user, minute=minute)
    reset = int((minute + MINUTE).timestamp())
    return Rate(limit=limit, remaining=max(0, limit - used), reset=reset), may_call


def refusal(rate: Rate, now: datetime.datetime) -> errors.TooManyRequests:
    seconds = max(1, rate.reset - int(now.timestamp()))
    return errors.TooManyRequests(
        f"An account may make {rate.limit} calls a minute. Try again in {seconds} s.",
        retry_after=seconds,
    )
