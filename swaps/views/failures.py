"""Error pages for failures on our side: 500, and 507 for a full disk."""

import sys
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.views.defaults import server_error as broken

from swaps.storage import space


def server_error(request: HttpRequest) -> HttpResponse:
    """Render 507 when the exception being handled comes from a full disk, otherwise 500."""
    if space.is_disk_full_error(sys.exc_info()[1]):
        return insufficient_storage()
    return broken(request)


def insufficient_storage() -> HttpResponse:
    """Render 507 without a database query: the database may be what is full."""
    return HttpResponse(
        loader.render_to_string("507.html"),
        status=HTTPStatus.INSUFFICIENT_STORAGE,
        headers={"Retry-After": str(space.RETRY_SECONDS), "Cache-Control": "no-store"},
    )
