"""Gives swaps names and stars, on their own pages and in the history."""

import uuid

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from swaps import links
from swaps.models import Swap
from swaps.views.decorators import MemberRequest, members_only

STARRED = {"1": True, "0": False}


@members_only
@require_POST
def star(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Give a swap a star or take it away, as ``starred`` says (1 or 0); without it, the other."""
    swap = _own_swap(request, pk)
    swap.star(is_starred=STARRED.get(request.POST.get("starred", ""), not swap.is_starred))
    return _changed(request, swap, "swaps/_star.html")


@members_only
@require_POST
def rename(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Give a swap the name in ``name``; an empty one takes its name away."""
    swap = _own_swap(request, pk)
    swap.rename(request.POST.get("name", ""))
    return _changed(request, swap, "swaps/_name.html")


def _own_swap(request: MemberRequest, pk: uuid.UUID) -> Swap:
    return get_object_or_404(Swap.objects.visible_to(request.user), pk=pk)


def _changed(request: MemberRequest, swap: Swap, partial: str) -> HttpResponse:
    """Answer htmx with the changed part of the page; lead others back to where they came from."""
    if request.htmx:
        return render(request, partial, {"swap": swap, "is_answer": True})
    came_from = request.headers.get("Referer", "")
    if links.is_on_this_site(came_from):
        return HttpResponseRedirect(came_from)
    return redirect("swaps:detail", swap.pk)
