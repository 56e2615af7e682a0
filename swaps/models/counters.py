"""Counters for rate limits: a row for each account and minute, incremented in one statement."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F


class MinuteCount(models.Model):
    """How often an account did something in one minute."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    minute = models.DateTimeField(db_index=True)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.minute}: {self.count}"


class CallCount(MinuteCount):
    """Counts the API calls that an account made in one minute."""

    class Meta:
        constraints = [models.UniqueConstraint("user", "minute", name="call_count_of_a_minute")]


class FormCount(MinuteCount):
    """Counts the forms with photos that an account sent in one minute (throttling)."""

    class Meta:
        constraints = [models.UniqueConstraint("user", "minute", name="form_count_of_a_minute")]


class PhotoCount(MinuteCount):
    """Counts the photos that an account sent ahead of its swaps in one minute (throttling)."""

    class Meta:
        constraints = [models.UniqueConstraint("user", "minute", name="photo_count_of_a_minute")]


class GuestCount(models.Model):
    """Counts the swaps that one browser, or one address, made in a day without an account."""

    who = models.CharField(max_length=64, help_text="Keyed hash of the browser's or address's name")
    day = models.DateField(db_index=True)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint("who", "day", name="guest_count_of_a_day")]

    def __str__(self) -> str:
        return f"{self.day}: {self.count}"


def increment_counter(
    counters: models.QuerySet[Any], *, limit: int | None = None, **which: Any
) -> bool:
    """Add one to the counter row that ``which`` names; return False when it has reached ``limit``.

    One statement checks and adds, so racing callers cannot pass the limit together.
    """
    open_counters = counters.filter(**which, **({"count__lt": limit} if limit is not None else {}))
    if open_counters.update(count=F("count") + 1):
        return True
    if limit == 0:
        return False
    _, is_new = counters.get_or_create(**which, defaults={"count": 1})
    return is_new or open_counters.update(count=F("count") + 1) == 1
