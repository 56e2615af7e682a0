"""Filters of the history: what of their swaps people want to see."""

import datetime
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass

from django.utils import timezone

from swaps.models import User
from swaps.models.labels import clean_name
from swaps.models.swap import SwapQuerySet
from swaps.models.swap_states import Status

Narrow = Callable[[SwapQuerySet], SwapQuerySet]

STATES: dict[str, Narrow] = {
    "working": lambda swaps: swaps.unfinished(),
    "finished": lambda swaps: swaps.filter(status=Status.SUCCEEDED),
    "failed": lambda swaps: swaps.filter(status=Status.FAILED),
}
ORIGINS: dict[str, Narrow] = {
    "browser": lambda swaps: swaps.from_browser(),
    "api": lambda swaps: swaps.from_api(),
    "batch": lambda swaps: swaps.from_batches(),
}
MAX_MONTHS = 120


@dataclass(frozen=True, kw_only=True)
class HistoryFilters:
    """What is asked for; "" wherever anything will do."""

    q: str = ""
    state: str = ""
    starred: str = ""
    origin: str = ""
    month: str = ""

    def apply(self, swaps: SwapQuerySet) -> SwapQuerySet:
        """Return those of the swaps that are asked for."""
        if self.state:
            swaps = STATES[self.state](swaps)
        if self.origin:
            swaps = ORIGINS[self.origin](swaps)
        if self.starred:
            swaps = swaps.filter(is_starred=True)
        if self.month:
            swaps = swaps.made_in(_parse_month(self.month))
        return swaps.named_like(self.q) if self.q else swaps

    @property
    def given(self) -> dict[str, str]:
        """Those that narrow something, as a URL has them."""
        return {name: value for name, value in asdict(self).items() if value}

    @property
    def month_date(self) -> datetime.date | None:
        return _parse_month(self.month) if self.month else None

    @property
    def remembered(self) -> dict[str, str]:
        """What is kept for the next visit. The words of a search are not: they were for once."""
        return {name: value for name, value in self.given.items() if name != "q"}


def parse_filters(query: Mapping[str, str]) -> tuple[HistoryFilters, bool]:
    """Return the filters in a URL, and whether it has any, be it one for anything.

    An invalid value counts as not given.
    """
    given = {
        name: value
        for name in HistoryFilters.__dataclass_fields__
        if (value := _clean(name, query.get(name))) is not None
    }
    return HistoryFilters(**given), bool(given)


def months_of(user: User) -> Iterator[datetime.date]:
    """Yield the months in which the account may have requested swaps, the latest first."""
    month = timezone.localdate().replace(day=1)
    first = timezone.localdate(user.date_joined).replace(day=1)
    for _ in range(MAX_MONTHS):
        yield month
        month = (month - datetime.timedelta(days=1)).replace(day=1)
        if month < first:
            return


def _clean(name: str, value: str | None) -> str | None:
    """Return the value as it is used, or None for one that is missing or invalid."""
    if not value:
        return value
    if name == "q":
        return clean_name(value)
    if name == "month":
        return value if _is_month(value) else None
    valid = {"state": STATES, "origin": ORIGINS, "starred": ("1",)}[name]
    return value if value in valid else None


def _parse_month(text: str) -> datetime.date:
    return datetime.date.fromisoformat(f"{text}-01")


def _is_month(text: str) -> bool:
    try:
        return datetime.MINYEAR < _parse_month(text).year < datetime.MAXYEAR
    except ValueError:
        return False
