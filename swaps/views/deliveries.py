"""The log of callbacks: each delivery with its attempts, and a button that sends it once more."""

import json
import uuid
from collections.abc import Sequence

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from swaps.deliveries import deliver, signing
from swaps.models import Delivery, Swap
from swaps.models.delivery import MAX_ATTEMPTS, DeliveryQuerySet
from swaps.views.decorators import MemberRequest, members_only, no_content

PAGE_SIZE = 30
SIGNED_HEADERS = ("content-type", "webhook-id", "webhook-timestamp", "webhook-signature")


@members_only
@never_cache
@require_safe
def deliveries(request: MemberRequest) -> HttpResponse:
    """List the user's deliveries, newest first; ``?after=`` is the last one of the page before."""
    if request.htmx and "shown" in request.GET:
        return _updates(request)
    mine = _older_than(_visible_deliveries(request), request.GET.get("after", "")).newest_first()
    found = list(mine[: PAGE_SIZE + 1])
    shown = found[:PAGE_SIZE]
    context = {
        "deliveries": shown,
        "next_cursor": shown[-1].pk if len(found) > PAGE_SIZE else None,
        "poll_url": _poll_url(shown),
    }
    template = "api/deliveries.html#rows" if request.htmx else "api/deliveries.html"
    return render(request, template, context)


@members_only
@never_cache
@require_safe
def delivery(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Show one delivery. Its page polls with the version it shows; 204 until that changes."""
    found = get_object_or_404(_visible_deliveries(request), pk=pk)
    if request.htmx and request.GET.get("shown") == _version(found):
        return no_content()
    visible = Swap.objects.visible_to(request.user)
    context = {
        "delivery": found,
        "version": _version(found),
        "attempts": list(found.attempts.order_by("-started_at", "-pk")[:MAX_ATTEMPTS]),
        "most_attempts": MAX_ATTEMPTS,
        "is_swap_visible": visible.filter(pk=found.task_id).exists(),
    }
    if request.htmx:
        return render(request, "api/delivery.html#delivery", context)
    payload = json.loads(signing.payload(found.task))
    context |= {
        "payload": json.dumps(payload, indent=2, ensure_ascii=False),
        "signed_headers": SIGNED_HEADERS,
    }
    return render(request, "api/delivery.html", context)


@members_only
@require_POST
def replay(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Send a delivery once more, unless it is being sent at this moment."""
    found = get_object_or_404(_visible_deliveries(request), pk=pk)
    if deliver.replay(found):
        messages.success(request, "It is sent once more, now.")
    else:
        messages.info(request, "It is being sent at this moment. Look again in a few seconds.")
    return redirect("swaps:delivery", pk=pk)


def _visible_deliveries(request: MemberRequest) -> DeliveryQuerySet:
    mine = Delivery.objects.filter(owner=request.user)
    forgotten = request.user.forget_swaps_before
    if forgotten is None:
        return mine
    return mine.filter(Q(swap__created_at__gt=forgotten) | Q(detection__created_at__gt=forgotten))


def _older_than(mine: DeliveryQuerySet, cursor: str) -> DeliveryQuerySet:
    """Return the deliveries after this one; all for a cursor that names none of the user's."""
    pk = _parse_uuid(cursor)
    last = mine.filter(pk=pk).first() if pk else None
    if last is None:
        return mine
    return mine.filter(created_at__lte=last.created_at).filter(
        Q(created_at__lt=last.created_at) | Q(pk__lt=last.pk)
    )


def _updates(request: MemberRequest) -> HttpResponse:
    """Render the pending deliveries of the page that have changed; 204 when none has."""
    known = _parse_shown(request.GET["shown"])
    found = list(_visible_deliveries(request).filter(pk__in=known))
    changed = [each for each in found if known[each.pk] != _version(each)]
    if not changed and len(found) == len(known):
        return no_content()
    context = {"changed": changed, "poll_url": _poll_url(found)}
    return render(request, "api/deliveries.html#updates", context)


def _poll_url(shown: Sequence[Delivery]) -> str:
    """Return the URL that polls for the pending deliveries; empty when none is pending."""
    pending = ",".join(f"{each.pk}.{_version(each)}" for each in shown if each.is_pending)
    return pending and f"{reverse('swaps:deliveries')}?shown={pending}"


def _version(delivery: Delivery) -> str:
    """Return a text that changes whenever a page about the delivery would."""
    is_enqueued = int(delivery.enqueue_again_at is not None)
    return f"{delivery.status}.{delivery.attempts_made}.{delivery.failures}.{is_enqueued}"


def _parse_shown(text: str) -> dict[uuid.UUID, str]:
    pairs = (item.partition(".") for item in text.split(",")[:PAGE_SIZE])
    return {pk: version for name, _, version in pairs if (pk := _parse_uuid(name))}


def _parse_uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
