"""The circuit breaker of the hosted provider: one row that all processes share.

After ``FAILURES_TO_OPEN`` failures in a row nothing is sent for a while (open). Then one swap is
sent as a trial (half open), and the first success lets all the others follow (closed).
"""

import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F

from swaps import messages

FAILURES_TO_OPEN = 5
SINGLETON_PK = 1
MAX_PAUSE = datetime.timedelta(hours=1)


class HostedProviderQuerySet(models.QuerySet["HostedProvider"]):
    """Reads and records the state of the breaker in its single row."""

    def current(self) -> "HostedProvider":
        """Return the row, created when it does not exist yet."""
        return self.get_or_create(pk=SINGLETON_PK)[0]

    def get_locked(self) -> "HostedProvider":
        """Return the row locked, so that only one process decides about sending at a time."""
        self.current()
        return self.select_for_update().get(pk=SINGLETON_PK)

    def record_success(self, now: datetime.datetime) -> None:
        """Record that the provider answered, which closes the breaker.

        Writes at most once a minute.
        """
        minute_ago = now - datetime.timedelta(minutes=1)  # saves writes
        known = {"troubles": 0, "last_success_at__gt": minute_ago, "open_until": None}
        row = self.filter(pk=SINGLETON_PK).exclude(**known)
        row.update(troubles=0, last_success_at=now, open_until=None)

    def record_failure(
        self,
        now: datetime.datetime,
        problem: messages.Message,
        away_for: datetime.timedelta = datetime.timedelta(0),
    ) -> None:
        """Record that the provider could not be reached or broke; enough in a row open the breaker.

        One failure is enough when the provider says that it will be away (``away_for``) for longer
        than the breaker's own pause.
        """
        self.current()
        row = self.filter(pk=SINGLETON_PK)
        row.update(troubles=F("troubles") + 1, last_trouble_at=now, problem_params=problem)
        until = now + max(breaker_pause(), away_for)
        enough = row if away_for > breaker_pause() else row.filter(troubles__gte=FAILURES_TO_OPEN)
        enough.exclude(open_until__gte=until).update(open_until=until)

    def pause_until(self, until: datetime.datetime) -> None:
        """Send nothing before this time, because the provider asked for fewer calls."""
        self.current()
        self.filter(pk=SINGLETON_PK).exclude(rests_until__gt=until).update(rests_until=until)


class HostedProvider(models.Model):
    """The state of the hosted provider's circuit breaker, as all processes have seen it."""

    troubles = models.PositiveIntegerField(default=0, help_text="In a row.")
    # Earlier versions kept English in here.
    problem = models.CharField(max_length=300, blank=True, help_text="The last one.")
    problem_params = models.JSONField(null=True)  # for ``messages.text``
    last_trouble_at = models.DateTimeField(null=True)
    last_success_at = models.DateTimeField(null=True)
    open_until = models.DateTimeField(null=True, help_text="Down: nothing is sent until then.")
    rests_until = models.DateTimeField(null=True, help_text="It asked for fewer calls.")

    objects: ClassVar[HostedProviderQuerySet] = HostedProviderQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = verbose_name_plural = "hosted provider"

    def __str__(self) -> str:
        return "The hosted provider"

    @property
    def problem_text(self) -> str:
        """The message that tells staff why it failed last."""
        return messages.text(self.problem_params) if self.problem_params else self.problem

    def paused_until(self, now: datetime.datetime) -> datetime.datetime | None:
        """Return the time before which nothing may be sent; None when sending is allowed.

        A time further ahead than any pause was written before the clock was set back: it is
        ignored.
        """
        latest = now + max(MAX_PAUSE, breaker_pause())
        moments = (self.open_until, self.rests_until)
        held = [until for until in moments if until and now < until <= latest]
        return max(held, default=None)

    @property
    def is_down(self) -> bool:
        return self.open_until is not None

    def begin_trial(self, now: datetime.datetime) -> None:
        """Half-open the breaker: the caller sends one swap as a trial, and the others wait."""
        self.open_until = now + breaker_pause()
        self.save(update_fields=["open_until"])


def breaker_pause() -> datetime.timedelta:
    """Return how long the breaker stays open (``FACESWAP_HOSTED_PAUSE_SECONDS``)."""
    return datetime.timedelta(seconds=settings.FACESWAP_HOSTED_PAUSE_SECONDS)
