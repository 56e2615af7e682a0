"""The history page: a user's swaps, newest first, filtered as they like."""

import datetime
import uuid
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe
from django_htmx.http import push_url, replace_url

from swaps.models import Swap
from swaps.views.decorators import MemberRequest, members_only
from swaps.views.history_filters import HistoryFilters, months_of, parse_filters
from swaps.views.history_updates import PAGE_SIZE, arrivals_url, poll_of


@members_only
@require_safe
def history(request: MemberRequest) -> HttpResponse:
    """Show one page of the user's swaps; ``?after=`` is the cursor of the page before.

    A visit that asks for nothing in particular is filtered as the one before it.
    """
    filters, has_any = parse_filters(request.GET)
    after = _parse_cursor(request.GET.get("after", ""))
    is_remembered = False
    if not after:
        if has_any:
            request.user.remember_history_filters(filters.remembered)
        else:
            filters, is_remembered = parse_filters(request.user.history_filters)
    matching = filters.apply(Swap.objects.visible_to(request.user)).newest_first()
    if after:
        matching = matching.older_than(*after)
    swaps = list(matching[: PAGE_SIZE + 1])
    shown = swaps[:PAGE_SIZE]
    context = {
        "swaps": shown,
        "filters": filters,
        "newest_url": _url(filters),
        "next_url": _url(filters, after=_cursor(shown[-1])) if len(swaps) > PAGE_SIZE else "",
    }
    if after and request.htmx:
        return render(request, "swaps/history.html#cards", context)
    now = timezone.now()
    poll = poll_of(request.user, now, shown)
    context |= {
        "poll": poll,
        "has_unfinished": any(swap.is_unfinished for swap in shown),
        "elsewhere": len({swap.pk for swap in poll.swaps} - {swap.pk for swap in shown}),
        "arrivals_url": "" if after else arrivals_url(filters, now, shown),
        "is_remembered": is_remembered,
        "is_older": bool(after),
    }
    if request.htmx:
        return _with_url(request, filters, render(request, "swaps/history.html#library", context))
    context["months"] = months_of(request.user)
    return render(request, "swaps/history.html", context)


@members_only
@require_safe
def card(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Render one card of the history."""
    swap = get_object_or_404(Swap.objects.visible_to(request.user), pk=pk)
    return render(request, "swaps/history.html#card", {"swap": swap})


def _with_url(
    request: MemberRequest, filters: HistoryFilters, response: HttpResponse
) -> HttpResponse:
    """Let the address of the page say what it shows. A search is one step back, not each letter."""
    is_search_going_on = filters.q and "q=" in (request.htmx.current_url or "")
    return (replace_url if is_search_going_on else push_url)(response, _url(filters))


def _url(filters: HistoryFilters, **more: str) -> str:
    query = urlencode({**filters.given, **more})
    return f"{reverse('swaps:history')}{query and '?'}{query}"


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
