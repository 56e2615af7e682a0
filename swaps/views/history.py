"""The history page: a user's swaps, newest first, updated by polling while one is unfinished."""

import datetime
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from swaps.models import Status, Swap, User
from swaps.views.decorators import MemberRequest, members_only, no_content

PAGE_SIZE = 24
MAX_POLLED = 60  # cards in one poll; keeps its URL well below the server's limit
# Pairs: age of the youngest unfinished swap in seconds, and milliseconds to the next poll below it.
INTERVALS_MS = ((5, 300), (20, 1000), (60, 2000), (300, 5000))
MAX_INTERVAL_MS = 15_000


@dataclass(frozen=True, kw_only=True)
class Poll:
    """The poll of a page: the URL to request, and the milliseconds between two requests."""

    url: str
    interval_ms: int


@members_only
@require_safe
def history(request: MemberRequest) -> HttpResponse:
    """Show one page of the user's swaps; ``?after=`` is the cursor of the page before."""
    mine = Swap.objects.visible_to(request.user).newest_first()
    if after := _parse_cursor(request.GET.get("after", "")):
        mine = mine.older_than(*after)
    swaps = list(mine[: PAGE_SIZE + 1])
    shown = swaps[:PAGE_SIZE]
    context = {
        "swaps": shown,
        "next_cursor": _cursor(shown[-1]) if len(swaps) > PAGE_SIZE else None,
        "poll": _poll(request.user, timezone.now(), shown),
        "has_unfinished": any(swap.is_unfinished for swap in shown),
    }
    template = "swaps/history.html#cards" if request.htmx else "swaps/history.html"
    return render(request, template, context)


@members_only
@require_safe
def updates(request: MemberRequest) -> HttpResponse:
    """Render the cards that changed since the page showed them as unfinished; 204 when none did."""
    known = _parse_known(request.GET.get("swaps", ""))
    now = timezone.now()
    mine = Swap.objects.visible_to(request.user).filter(pk__in=known)
    found = {swap.pk: swap for swap in mine}
    changed = [swap for pk, swap in found.items() if known[pk] != swap.progress]
    gone = [pk for pk in known if pk not in found]
    slower = request.GET.get("every") != str(_interval(found.values(), now))
    if not (changed or gone or slower):
        return no_content()
    context = {
        "changed": changed,
        "gone": gone,
        "poll": _poll(request.user, now, found.values()),
        "announcement": _announcement(changed, known),
    }
    return render(request, "swaps/history.html#updates", context)


@members_only
@require_safe
def card(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Render one card of the history."""
    swap = get_object_or_404(Swap.objects.visible_to(request.user), pk=pk)
    return render(request, "swaps/history.html#card", {"swap": swap})


def _poll(user: User, now: datetime.datetime, shown: Iterable[Swap]) -> Poll | None:
    """Build the poll about the oldest unfinished swaps, which end first; None if none is.

    ``shown`` are the cards of this answer. One that is shown unfinished is asked about as it is
    shown, although it may have ended since it was read: its card would stay so for ever.
    """
    mine = Swap.objects.visible_to(user).unfinished()
    unfinished = {swap.pk: swap for swap in mine.order_by("created_at", "id")[:MAX_POLLED]}
    as_shown = {swap.pk: swap for swap in shown if swap.is_unfinished}
    oldest = sorted((unfinished | as_shown).values(), key=lambda swap: (swap.created_at, swap.pk))
    swaps = oldest[:MAX_POLLED]
    if not swaps:
        return None
    interval = _interval(swaps, now)
    known = ",".join(f"{swap.pk}.{swap.progress}" for swap in swaps)
    query = urlencode({"every": interval, "swaps": known}, safe=",")
    return Poll(url=f"{reverse('swaps:updates')}?{query}", interval_ms=interval)


def _interval(swaps: Iterable[Swap], now: datetime.datetime) -> int:
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


def _parse_known(text: str) -> dict[uuid.UUID, str]:
    known = {}
    for item in text.split(",")[:MAX_POLLED]:
        pk, _, progress = item.partition(".")
        try:
            known[uuid.UUID(pk)] = progress
        except ValueError:
            continue
    return known


def _cursor(swap: Swap) -> str:
    return f"{swap.created_at.isoformat()}_{swap.pk}"


def _parse_cursor(text: str) -> tuple[datetime.datetime, uuid.UUID] | None:
    """Parse where a page ends; return None (the first page) for anything that is no cursor."""
    created_at, _, pk = text.replace(" ", "+").partition("_")
    try:
        moment = datetime.datetime.fromisoformat(created_at)
        return moment.astimezone(datetime.UTC), uuid.UUID(pk)
    except (ValueError, OverflowError):
        return None
