"""Pages for what went wrong on our side."""

import sys
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.views.defaults import server_error as broken

from swaps.storage import space


def server_error(request: HttpRequest) -> HttpResponse:
    """Django asks for it while it handles the exception: a full disk is told from all else."""
    if space.is_full(sys.exc_info()[1]):
        return no_room()
    return broken(request)


def no_room() -> HttpResponse:
    """It asks the database for nothing: that may be what is full."""
    return HttpResponse(
        loader.render_to_string("507.html"),
        status=HTTPStatus.INSUFFICIENT_STORAGE,
        headers={"Retry-After": str(space.RETRY_SECONDS), "Cache-Control": "no-store"},
    )
