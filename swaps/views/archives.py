"""Downloads of several results as one ZIP archive."""

import uuid
from collections.abc import Iterable, Iterator
from http import HTTPStatus

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from swaps.models import Swap
from swaps.runtime.fair_share import try_acquire
from swaps.storage.archive import stream_zip
from swaps.views.decorators import MemberRequest, members_only
from swaps.views.file_names import unique_file_names

MAX_SELECTED = 100


@members_only
@require_safe
def selected(request: MemberRequest) -> HttpResponseBase:
    """Stream the results of the swaps that ``?ids=`` lists, or that several ``ids=`` name."""
    pks = parse_ids(request.GET.getlist("ids"))
    if len(pks) > MAX_SELECTED:
        return _refused(request, HTTPStatus.BAD_REQUEST)
    chosen = Swap.objects.visible_to(request.user).filter(pk__in=pks)
    return archive_response(
        request, chosen.order_by("created_at", "id"), f"faceswap-{timezone.now():%Y-%m-%d-%H%M%S}"
    )


def archive_response(request: MemberRequest, swaps: Iterable[Swap], stem: str) -> HttpResponseBase:
    """Stream the results of these swaps as a ZIP file of this name.

    The rows are read before the first byte is sent: while a response is streamed, its thread has
    no slot and no database connection. It has the thread for as long as the client reads, so each
    account gets a share of them only.
    """
    files = unique_file_names(swaps)
    if not any(files.values()):
        return _refused(request, HTTPStatus.CONFLICT)
    headers = {
        "Content-Type": "application/zip",
        "Cache-Control": "private, no-store",
        "Content-Disposition": content_disposition_header(True, f"{stem}.zip") or "",
    }
    if request.method == "HEAD":
        return HttpResponse(headers=headers)
    blocks = _while_shared(request.user.pk, stream_zip(files))
    if next(blocks, None) is None:
        return _refused(request, HTTPStatus.TOO_MANY_REQUESTS)
    return StreamingHttpResponse(blocks, headers=headers)


def _while_shared(user_id: int, blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield an empty block and then these while the account has a share; nothing without one."""
    with try_acquire(("archive", user_id)) as has_share:
        if has_share:
            yield b""
            yield from blocks


def parse_ids(values: Iterable[str]) -> set[uuid.UUID]:
    """Parse ids, of which each value may list several; those that are none do not count."""
    pks = set()
    for text in ",".join(values).split(","):
        try:
            pks.add(uuid.UUID(text))
        except ValueError:
            continue
    return pks


def _refused(request: MemberRequest, status: HTTPStatus) -> HttpResponse:
    context = {"status": status, "max_selected": MAX_SELECTED}
    return render(request, "swaps/no_archive.html", context, status=status)
