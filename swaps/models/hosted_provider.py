"""How the hosted provider is doing, as all processes together have seen it: one row.

The circuit breaker: after so many troubles in a row nothing is sent for a while (open); then one
swap is, as a trial (half open); the first that goes through lets all the others follow (closed).
"""

import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F

TROUBLES_TO_OPEN = 5
THE_ROW = 1
MAX_REST = datetime.timedelta(hours=1)


class HostedProviderQuerySet(models.QuerySet["HostedProvider"]):
    def current(self) -> "HostedProvider":
        return self.get_or_create(pk=THE_ROW)[0]

    def locked(self) -> "HostedProvider":
        """Nobody else decides about sending until the open transaction ends."""
        self.current()
        return self.select_for_update().get(pk=THE_ROW)

    def note_success(self, now: datetime.datetime) -> None:
        """It took or answered a call."""
        minute_ago = now - datetime.timedelta(minutes=1)  # no need to write it each time
        known = {"troubles": 0, "last_success_at__gt": minute_ago, "open_until": None}
        row = self.filter(pk=THE_ROW).exclude(**known)
        row.update(troubles=0, last_success_at=now, open_until=None)

    def note_trouble(
        self,
        now: datetime.datetime,
        problem: str,
        away_for: datetime.timedelta = datetime.timedelta(0),
    ) -> None:
        """It cannot be reached, or breaks. Enough of that in a row opens the breaker.

        So does one alone, when the provider says that it will be away for longer than we pause.
        """
        self.current()
        row = self.filter(pk=THE_ROW)
        row.update(troubles=F("troubles") + 1, last_trouble_at=now, problem=problem[:300])
        until = now + max(pause(), away_for)
        enough = row if away_for > pause() else row.filter(troubles__gte=TROUBLES_TO_OPEN)
        enough.exclude(open_until__gte=until).update(open_until=until)

    def rest(self, until: datetime.datetime) -> None:
        """It asked for fewer calls."""
        self.current()
        self.filter(pk=THE_ROW).exclude(rests_until__gt=until).update(rests_until=until)


class HostedProvider(models.Model):
    troubles = models.PositiveIntegerField(default=0, help_text="In a row.")
    problem = models.CharField(max_length=300, blank=True, help_text="The last one.")
    last_trouble_at = models.DateTimeField(null=True)
    last_success_at = models.DateTimeField(null=True)
    open_until = models.DateTimeField(null=True, help_text="Down: nothing is sent until then.")
    rests_until = models.DateTimeField(null=True, help_text="It asked for fewer calls.")

    objects: ClassVar[HostedProviderQuerySet] = HostedProviderQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = verbose_name_plural = "hosted provider"

    def __str__(self) -> str:
        return "The hosted provider"

    def holds_until(self, now: datetime.datetime) -> datetime.datetime | None:
        """Nothing is to be sent before then; None when something may be.

        A moment that is further away than any pause was written by a clock that has been set back.
        """
        latest = now + max(MAX_REST, pause())
        moments = (self.open_until, self.rests_until)
        held = [until for until in moments if until and now < until <= latest]
        return max(held, default=None)

    @property
    def is_down(self) -> bool:
        return self.open_until is not None

    def begin_trial(self, now: datetime.datetime) -> None:
        """One is sent to see whether it is back; the others wait for how that goes."""
        self.open_until = now + pause()
        self.save(update_fields=["open_until"])


def pause() -> datetime.timedelta:
    return datetime.timedelta(seconds=settings.FACESWAP_HOSTED_PAUSE_SECONDS)
