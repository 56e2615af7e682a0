"""Error pages for requests that are refused as a whole: 400, 413 and 429."""

from http import HTTPStatus

from django.conf import settings
from django.core.exceptions import DisallowedHost, RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

RETRY_SECONDS = 60  # the limits on attempts count by the minute


def bad_request(_request: HttpRequest, exception: Exception) -> HttpResponse:
    """Render 400 or 413 without use of the request: its host may be wrong, its session unknown."""
    if isinstance(exception, RequestDataTooBig):
        return HttpResponse(
            render_to_string("413.html"), status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        )
    right_address = f"{settings.SITE_URL}/" if isinstance(exception, DisallowedHost) else ""
    page = render_to_string("400.html", {"right_address": right_address})
    return HttpResponse(page, status=HTTPStatus.BAD_REQUEST)


def too_many_requests(request: HttpRequest) -> HttpResponse:
    """Render 429 when a limit on attempts was reached: of sign-ups, sign-ins, mails."""
    page = render(request, "429.html", status=HTTPStatus.TOO_MANY_REQUESTS)
    page["Retry-After"] = str(RETRY_SECONDS)
    return page
