"""The status of the hosted provider in figures, for staff: what is open, and how the rest ended."""

import datetime
import math
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Self

from django.db.models import Count, Min

from swaps.models import HostedProvider, Stage, Submission
from swaps.models.hosted_provider import SINGLETON_PK
from swaps.models.submission_queryset import max_call_time

MAX_COUNTED = 10_000
HOUR = datetime.timedelta(hours=1)
DAY = datetime.timedelta(days=1)


class Breaker(StrEnum):
    """The state of the circuit breaker as staff see it."""

    CLOSED = "closed"
    OPEN = "open"
    TRIAL = "trial"  # one swap is with the provider, to see whether it is back
    DUE = "due"  # the pause is over: the next swap is the trial


@dataclass(frozen=True, kw_only=True)
class ProviderStatus:
    """The state of the provider, and the number of submissions at each step."""

    provider: HostedProvider | None  # None: nothing was ever sent
    breaker: Breaker
    is_resting: bool  # it asked for fewer calls
    in_flight: int
    answered: int  # reported, their pictures to be fetched
    waiting: int
    parked: int
    oldest_at: datetime.datetime | None  # of those that wait or are parked


class SubmissionRow(NamedTuple):
    """The columns of a submission that the figures need."""

    created_at: datetime.datetime
    sent_at: datetime.datetime | None
    answered_at: datetime.datetime | None
    ended_at: datetime.datetime | None
    refusals: int
    requested_at: datetime.datetime
    result_key: str
    error_code: str

    @property
    def is_done(self) -> bool:
        return bool(self.result_key)

    @property
    def is_settled(self) -> bool:
        return self.is_done or bool(self.error_code)


@dataclass(frozen=True, kw_only=True)
class Percentiles:
    """Percentiles of some durations in seconds; None where there are none."""

    p50: float | None
    p90: float | None
    p99: float | None

    @classmethod
    def of(cls, durations: Iterable[float]) -> Self:
        ordered = sorted(durations)
        return cls(**{f"p{percent}": percentile(ordered, percent) for percent in (50, 90, 99)})


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Figures of the swaps that were requested in some period."""

    requested: int
    succeeded: int
    failures: dict[str, int]  # by error code, the most frequent first
    deleted: int  # before they ended
    still_open: int
    refusals: int
    to_report: Percentiles  # from the last sending
    to_end: Percentiles  # from the request of the swap, waiting included

    @property
    def failed(self) -> int:
        return sum(self.failures.values())

    @property
    def error_rate(self) -> float | None:
        """Return failures in percent of the swaps that ended by themselves; None without any."""
        ended = self.succeeded + self.failed
        return 100 * self.failed / ended if ended else None


def is_down(now: datetime.datetime) -> bool:
    """Return True when new swaps would have to wait for the provider.

    With nobody waiting nobody tries: a breaker that opened long ago says nothing about today.
    """
    max_trial_time = max_call_time()
    return HostedProvider.objects.filter(open_until__gt=now - max_trial_time).exists()


def current_status(now: datetime.datetime) -> ProviderStatus:
    """Return the provider's status now."""
    provider = HostedProvider.objects.filter(pk=SINGLETON_PK).first()
    grouped = Submission.objects.open().values_list("stage", "swap__is_parked")
    counts: Counter[str] = Counter()
    oldest = []
    for stage, is_parked, count, first_at in grouped.annotate(Count("pk"), Min("created_at")):
        counts["parked" if stage == Stage.NEW and is_parked else stage] += count
        oldest += [first_at] if stage == Stage.NEW else []
    return ProviderStatus(
        provider=provider,
        breaker=_breaker(provider, now),
        is_resting=bool(provider and provider.rests_until and provider.rests_until > now),
        in_flight=counts[Stage.SENT],
        answered=counts[Stage.ANSWERED],
        waiting=counts[Stage.NEW],
        parked=counts["parked"],
        oldest_at=min(oldest, default=None),
    )


def _breaker(provider: HostedProvider | None, now: datetime.datetime) -> Breaker:
    if provider is None or provider.open_until is None:
        return Breaker.CLOSED
    sent = Submission.objects.in_flight()
    if provider.last_trouble_at and sent.filter(sent_at__gt=provider.last_trouble_at).exists():
        return Breaker.TRIAL
    return Breaker.OPEN if now < provider.open_until else Breaker.DUE


def newest_rows(since: datetime.datetime) -> tuple[list[SubmissionRow], bool]:
    """Return the rows since then, newest first, and whether there were more than are counted."""
    found = Submission.objects.filter(created_at__gte=since).newest_first()
    columns = found.values_list(
        *("created_at", "sent_at", "answered_at", "ended_at", "refusals"),
        *("swap__created_at", "swap__result_key", "swap__error_code"),
    )
    rows = [SubmissionRow(*each) for each in columns[: MAX_COUNTED + 1]]
    return rows[:MAX_COUNTED], len(rows) > MAX_COUNTED


def figures(rows: Collection[SubmissionRow]) -> Figures:
    """Count rows. A swap that was deleted later counts as what it was before."""
    codes = Counter(row.error_code for row in rows if row.error_code and not row.is_done)
    settled = [row for row in rows if row.is_settled]
    return Figures(
        requested=len(rows),
        succeeded=sum(row.is_done for row in rows),
        failures=dict(codes.most_common()),
        deleted=sum(bool(row.ended_at and not row.is_settled) for row in rows),
        still_open=sum(row.ended_at is None for row in rows),
        refusals=sum(row.refusals for row in rows),
        to_report=Percentiles.of(
            (row.answered_at - row.sent_at).total_seconds()
            for row in rows
            if row.sent_at and row.answered_at
        ),
        to_end=Percentiles.of(
            (row.ended_at - row.requested_at).total_seconds() for row in settled if row.ended_at
        ),
    )


def percentile(ordered: Sequence[float], percent: int) -> float | None:
    """Return the nearest rank: the smallest value that so many percent do not exceed."""
    if not ordered:
        return None
    return ordered[max(0, math.ceil(percent * len(ordered) / 100) - 1)]
