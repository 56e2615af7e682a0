"""The page of one swap, and what its owner says when the result looks wrong."""

import uuid
from typing import Any

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from swaps.lifecycle.bad_results import report_bad_result
from swaps.models import BadResult, Swap
from swaps.models.bad_result import Reason
from swaps.views.decorators import (
    MemberRequest,
    OwnerRequest,
    members_only,
    members_or_guests,
    no_content,
)
from swaps.views.file_names import file_stem
from swaps.views.history_updates import interval_ms
from swaps.views.share import share_context

PARKED_MS = 5000  # between two polls, at the least, of a swap that waits for the provider


@members_or_guests
@require_safe
def detail(request: OwnerRequest, pk: uuid.UUID) -> HttpResponse:
    """Show one swap. Its page polls with the progress it shows, and gets 204 until that changes."""
    swap = get_object_or_404(Swap.objects.visible_to(request.owner), pk=pk)
    every = str(max(interval_ms([swap], timezone.now()), PARKED_MS if swap.is_parked else 0))
    is_slower = request.GET.get("every", every) != every
    if request.htmx and request.GET.get("progress") == swap.progress and not is_slower:
        return no_content()
    context: dict[str, Any] = {"every": every, "swap": swap}
    if swap.is_succeeded:
        context |= {
            "file_name": f"{file_stem(swap)}.jpg",
            **_neighbours(request, swap),
            **share_context(swap, timezone.now()),
            **_looks_wrong_context(swap),
        }
    template = "swaps/detail.html#detail" if request.htmx else "swaps/detail.html"
    return render(request, template, context)


@members_only
@require_POST
def looks_wrong(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Take the report that a result looks wrong, for the ``reason``."""
    swap = get_object_or_404(Swap.objects.visible_to(request.user), pk=pk)
    if request.POST.get("reason") not in Reason.values:
        raise BadRequest("This is no reason.")
    report_bad_result(swap, Reason(request.POST["reason"]), timezone.now())
    if request.htmx:
        context = {"swap": swap, "is_answer": True, **_looks_wrong_context(swap)}
        return render(request, "swaps/_looks_wrong.html", context)
    return redirect(f"{reverse('swaps:detail', args=[swap.pk])}#looks-wrong")


def _neighbours(request: OwnerRequest, swap: Swap) -> dict[str, Any]:
    """Return the ids of the finished swaps before and after this one in the history."""
    finished = Swap.objects.visible_to(request.owner).succeeded()
    return {
        "newer": finished.newer_than(swap.created_at, swap.pk).values_list("pk", flat=True).first(),
        "older": finished.newest_first()
        .older_than(swap.created_at, swap.pk)
        .values_list("pk", flat=True)
        .first(),
    }


def _looks_wrong_context(swap: Swap) -> dict[str, Any]:
    return {
        "bad_result": BadResult.objects.filter(swap=swap).first(),
        "reasons": Reason.choices,
        "refunds": settings.FACESWAP_BAD_RESULT_REFUNDS,
    }
