"""What can be done with several swaps that were selected in the history."""

from collections.abc import Iterable

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from swaps.lifecycle.remove import preview_removal, remove_swaps
from swaps.models import Swap
from swaps.views.archives import MAX_SELECTED, parse_ids
from swaps.views.decorators import MemberRequest, members_only


@members_only
@require_http_methods(["GET", "HEAD", "POST"])
def selected(request: MemberRequest) -> HttpResponse:
    """Ask whether the swaps in ``ids`` are to be deleted; with ``confirmed=1``, delete them.

    Those that are not the user's own, or not there any more, count as not selected.
    """
    query = request.POST if request.method == "POST" else request.GET
    pks = parse_ids(query.getlist("ids"))
    if len(pks) > MAX_SELECTED:
        messages.error(request, f"Choose {MAX_SELECTED} swaps at most, and the rest after that.")
        return redirect("swaps:history")
    if query.get("action") != "delete":
        return redirect("swaps:history")
    mine = Swap.objects.visible_to(request.user).filter(pk__in=pks).newest_first()
    if request.method == "POST" and query.get("confirmed") == "1":
        return _delete(request, mine)
    removal = preview_removal(mine.select_related("submission"))
    if not removal.swaps:
        nothing = "They were deleted already." if pks else "Choose some swaps first."
        messages.info(request, nothing)
        return redirect("swaps:history")
    return render(request, "swaps/selected.html", {"removal": removal})


def _delete(request: MemberRequest, swaps: Iterable[Swap]) -> HttpResponse:
    count = remove_swaps(swaps)
    if count:
        what = "Deleted" if count == 1 else f"{count} swaps deleted"
        messages.success(request, f"{what}, with all pictures.")
    else:
        messages.info(request, "They were deleted already.")
    return redirect("swaps:history")
