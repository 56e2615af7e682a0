"""What brings a history page up to date while it is open, by two polls.

One asks about the unfinished swaps that it knows, the oftener the younger they are. The other asks
every few seconds whether there are swaps that it does not show: made in another tab, by the API.
"""

import datetime
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe
from django_htmx.http import trigger_client_event

from swaps.models import Status, Swap, User
from swaps.views.decorators import MemberRequest, members_only, no_content
from swaps.views.history_filters import HistoryFilters, parse_filters

PAGE_SIZE = 24
MAX_POLLED = 60  # cards in one poll; keeps its URL well below the server's limit
# Pairs: age of the youngest unfinished swap in seconds, and milliseconds to the next poll below it.
INTERVALS_MS = ((5, 300), (20, 1000), (60, 2000), (300, 5000))
MAX_INTERVAL_MS = 15_000
MAX_ARRIVALS = 60  # cards that are put into an open page, before it offers to load it anew
LATE_COMMIT = datetime.timedelta(
    seconds=5
)  # a row may be seen as much later as it says it was made
LONGEST_SWAP = datetime.timedelta(days=1)
LONGEST_ABSENCE = datetime.timedelta(days=30)  # of a page that was open, and its machine asleep


@dataclass(frozen=True, kw_only=True)
class Poll:
    """The poll about unfinished swaps; no ``url`` when there are none."""

    swaps: Sequence[Swap] = ()
    url: str = ""
    interval_ms: int = MAX_INTERVAL_MS

    @property
    def running(self) -> str:
        """How many swaps are unfinished, for the title; "" for none."""
        count = len(self.swaps)
        return f"{count}+" if count == MAX_POLLED else str(count or "")


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a page has shown of the newest swaps, as the URL of its poll for new ones says it."""

    since: datetime.datetime
    pks: set[uuid.UUID] = field(default_factory=set)  # of those that came after ``since``
    came: int = 0  # how many were put into the page since it was loaded


@members_only
@require_safe
def updates(request: MemberRequest) -> HttpResponse:
    """Render the cards that changed since the page showed them as unfinished; 204 when none did."""
    known = parse_known(request.GET.get("swaps", ""))
    now = timezone.now()
    mine = Swap.objects.visible_to(request.user).filter(pk__in=known)
    found = {swap.pk: swap for swap in mine}
    changed = [swap for pk, swap in found.items() if known[pk] != swap.progress]
    gone = [pk for pk in known if pk not in found]
    slower = request.GET.get("every") != str(interval_ms(found.values(), now))
    if not (changed or gone or slower):
        return no_content()
    poll = poll_of(request.user, now, found.values())
    announcement = _announcement(changed, known)
    context = {"changed": changed, "gone": gone, "poll": poll, "announcement": announcement}
    response = render(request, "swaps/history.html#updates", context)
    if announcement and not poll.url:
        trigger_client_event(response, "swaps:ready", {"text": announcement})
    return response


@members_only
@require_safe
def arrivals(request: MemberRequest) -> HttpResponse:
    """Render the cards of swaps that the page does not show yet; 204 when there are none."""
    filters, _ = parse_filters(request.GET)
    seen = _parse_seen(request.GET)
    now = timezone.now()
    mine = filters.apply(Swap.objects.visible_to(request.user)).newest_first()
    if _joins_when_finished(filters):
        mine = mine.filter(created_at__gt=seen.since - LONGEST_SWAP, finished_at__gt=seen.since)
    else:
        mine = mine.filter(created_at__gt=seen.since)
    found = list(mine[: MAX_ARRIVALS + 1])
    new = [swap for swap in found if swap.pk not in seen.pks]
    if not new:
        return no_content()
    came = seen.came + len(new)
    if came > MAX_ARRIVALS:
        return render(
            request, "swaps/history.html#many_arrivals", {"query": urlencode(filters.given)}
        )
    context = {
        "swaps": new,
        "arrivals_url": arrivals_url(filters, now, found, came=came),
        "poll": poll_of(request.user, now, new),
    }
    return render(request, "swaps/history.html#arrived", context)


def poll_of(user: User, now: datetime.datetime, shown: Iterable[Swap]) -> Poll:
    """Build the poll about the oldest unfinished swaps, which end first.

    ``shown`` are the cards of this answer. One that is shown unfinished is asked about as it is
    shown, although it may have ended since it was read: its card would stay so for ever.
    """
    mine = Swap.objects.visible_to(user).unfinished()
    unfinished = {swap.pk: swap for swap in mine.order_by("created_at", "id")[:MAX_POLLED]}
    as_shown = {swap.pk: swap for swap in shown if swap.is_unfinished}
    oldest = sorted((unfinished | as_shown).values(), key=lambda swap: (swap.created_at, swap.pk))
    swaps = oldest[:MAX_POLLED]
    if not swaps:
        return Poll()
    interval = interval_ms(swaps, now)
    known = ",".join(f"{swap.pk}.{swap.progress}" for swap in swaps)
    query = urlencode({"every": interval, "swaps": known}, safe=",")
    return Poll(swaps=swaps, url=f"{reverse('swaps:updates')}?{query}", interval_ms=interval)


def arrivals_url(
    filters: HistoryFilters, now: datetime.datetime, shown: Iterable[Swap], *, came: int = 0
) -> str:
    """Return the URL of the poll for swaps that are not among those that are ``shown``.

    It looks back a little, since rows appear when they are committed, so it names what was seen.
    """
    since = now - LATE_COMMIT
    moment = "finished_at" if _joins_when_finished(filters) else "created_at"
    seen = [str(swap.pk) for swap in shown if (getattr(swap, moment) or since) > since]
    cursor = {"since": since.isoformat(), "seen": ",".join(seen), "came": came}
    return f"{reverse('swaps:arrivals')}?{urlencode({**cursor, **filters.given}, safe=',')}"


def _joins_when_finished(filters: HistoryFilters) -> bool:
    """Return whether a swap matches these filters only once it has ended."""
    return filters.state in {"finished", "failed"}


def interval_ms(swaps: Iterable[Swap], now: datetime.datetime) -> int:
    """Return the milliseconds to the next poll, by the age of the youngest unfinished swap."""
    born = max((swap.created_at for swap in swaps if swap.is_unfinished), default=now)
    age = (now - born).total_seconds()
    return next((ms for limit, ms in INTERVALS_MS if age < limit), MAX_INTERVAL_MS)


def _announcement(changed: Sequence[Swap], known: Mapping[uuid.UUID, str]) -> str:
    """Return what a screen reader announces; a provider's outage is announced once only."""
    done = sum(swap.is_succeeded for swap in changed)
    failed = sum(swap.is_failed for swap in changed)
    sentences = []
    if done:
        sentences.append("Your swap is finished." if done == 1 else f"{done} swaps are finished.")
    if failed:
        sentences.append("A swap could not be done." if failed == 1 else f"{failed} swaps failed.")
    if any(swap.is_parked and known[swap.pk] == Status.QUEUED for swap in changed):
        sentences.append(
            "The service that makes the pictures is not answering. Your swaps wait for it."
        )
    return " ".join(sentences)


def parse_known(text: str) -> dict[uuid.UUID, str]:
    known = {}
    for item in text.split(",")[:MAX_POLLED]:
        pk, _, progress = item.partition(".")
        try:
            known[uuid.UUID(pk)] = progress
        except ValueError:
            continue
    return known


def _parse_seen(query: Mapping[str, str]) -> Seen:
    """Parse what the page has shown; one that does not say it has shown all until now."""
    now = timezone.now()
    try:
        since = datetime.datetime.fromisoformat(query.get("since", "").replace(" ", "+"))
        since = max(since.astimezone(datetime.UTC), now - LONGEST_ABSENCE)
    except (ValueError, OverflowError):
        since = now
    came = query.get("came", "")
    return Seen(
        since=since,
        pks=set(parse_known(query.get("seen", ""))),
        came=int(came) if came.isdecimal() and len(came) < 4 else 0,
    )
