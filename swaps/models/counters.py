"""Counters for rate limits: a row for each account and minute, incremented in one statement."""

import datetime
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

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


class GuestCountQuerySet(models.QuerySet["GuestCount"]):
    """Counts what guests do; every change is a single ``UPDATE``."""

    def take(self, names: Sequence[str], day: datetime.date, limit: int) -> list[int]:
        """Count one swap under each of these names, and return the ids of their rows.

        The list is empty when one of them has reached the limit: then the transaction has to be
        rolled back. Names come in the same order always, so that racing callers do not lock each
        other's rows.
        """
        for name in names:
            if not increment_counter(self.all(), limit=limit, who=name, day=day):
                return []
        ids = dict(self.filter(who__in=names, day=day).values_list("who", "pk"))
        return [ids[name] for name in names]

    def give_back(self, ids: Iterable[int]) -> None:
        """Subtract one swap from each of these rows.

        Only whoever ended the swap by compare-and-set may call this.
        """
        for pk in ids:
            self.filter(pk=pk, count__gt=0).update(count=F("count") - 1)

    def highest(self, names: Iterable[str], day: datetime.date) -> int:
        """Return the highest count of these names on a day."""
        counted = self.filter(who__in=list(names), day=day)
        return counted.aggregate(highest=models.Max("count"))["highest"] or 0


class GuestCount(models.Model):
    """Counts the swaps that one browser, or one address, made in a day without an account."""

    who = models.CharField(max_length=64, help_text="Keyed hash of the browser's or address's name")
    day = models.DateField(db_index=True)
    count = models.PositiveIntegerField(default=0)

    objects: ClassVar[GuestCountQuerySet] = GuestCountQuerySet.as_manager()  # type: ignore[assignment]

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
