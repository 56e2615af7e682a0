"""Share links: their owner makes and revokes them, anybody sees the picture behind them."""

import datetime
import uuid
from typing import Any

from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_POST, require_safe

from swaps import links
from swaps.lifecycle.share import share_result
from swaps.models import ShareLink, Swap
from swaps.sizes import SIDES
from swaps.views.decorators import MemberRequest, members_only
from swaps.views.pictures import picture_response

LIVES = {str(days): datetime.timedelta(days=days) for days in (1, 7, 30)}
PREVIEW_SIDE = max(SIDES)
NOT_INDEXED = "noindex, nofollow"
MAX_CACHED_SECONDS = 600  # a browser may show the picture so long after its link was revoked


def share_context(swap: Swap, now: datetime.datetime) -> dict[str, Any]:
    """Return what the panel about the link of a swap shows."""
    link = ShareLink.objects.open(now).filter(swap=swap).first()
    return {"link": link, "link_url": link and links.shared_url(link.token)}


@members_only
@require_POST
def share(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Make a link to the result that works for some ``days``, or ``revoke`` one, by its id."""
    swap = get_object_or_404(Swap.objects.visible_to(request.user).succeeded(), pk=pk)
    now = timezone.now()
    if revoked := request.POST.get("revoke"):
        swap.share_links.filter(pk=_parse_id(revoked)).revoke(now)
    else:
        _make_link(swap, request.POST.get("days", ""), now)
    if request.htmx:
        context = {"swap": swap, "is_answer": True, **share_context(swap, now)}
        return render(request, "swaps/_share.html", context)
    return redirect(f"{reverse('swaps:detail', args=[swap.pk])}#share")


@require_safe
def shared(request: HttpRequest, token: str) -> HttpResponse:
    """Show the picture behind a link to anybody, and nothing else of its swap.

    A link that has ended is answered with 404 like one that never was: nobody learns from it
    whether there was something.
    """
    link = _open_link(token, timezone.now())
    if link is None:
        page = render(request, "swaps/shared_ended.html", status=404)
    else:
        page = render(request, "swaps/shared.html", _shared_context(link))
    patch_cache_control(page, private=True, no_cache=True)
    page["X-Robots-Tag"] = NOT_INDEXED
    return page


@require_safe
def shared_picture(request: HttpRequest, token: str) -> HttpResponseBase:
    """Serve the picture behind a link; browsers keep it no longer than the link works."""
    now = timezone.now()
    link = _open_link(token, now)
    if link is None:
        raise Http404
    response = picture_response(request, link.swap.result_key, PREVIEW_SIDE)
    seconds_left = int((link.expires_at - now).total_seconds())
    patch_cache_control(response, private=True, max_age=min(seconds_left, MAX_CACHED_SECONDS))
    response["X-Robots-Tag"] = NOT_INDEXED
    return response


def _open_link(token: str, now: datetime.datetime) -> ShareLink | None:
    return ShareLink.objects.open(now).select_related("swap").filter(token=token).first()


def _shared_context(link: ShareLink) -> dict[str, Any]:
    return {
        "token": link.token,
        "url": links.shared_url(link.token),
        "width": link.swap.width,
        "height": link.swap.height,
        "expires_at": link.expires_at,
    }


def _make_link(swap: Swap, days: str, now: datetime.datetime) -> None:
    if days not in LIVES:
        raise BadRequest("No link works for so many days.")
    share_result(swap, LIVES[days], now)


def _parse_id(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise BadRequest("This is no id.") from error
