"""Pages for requests that are refused as a whole."""

from http import HTTPStatus

from django.conf import settings
from django.core.exceptions import DisallowedHost, RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

RETRY_SECONDS = 60  # the limits on attempts count by the minute


def bad_request(_request: HttpRequest, exception: Exception) -> HttpResponse:
    """Nothing of the request is used: its host may be wrong, and its session unknown yet."""
    if isinstance(exception, RequestDataTooBig):
        return HttpResponse(
            render_to_string("413.html"), status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        )
    right_address = f"{settings.SITE_URL}/" if isinstance(exception, DisallowedHost) else ""
    page = render_to_string("400.html", {"right_address": right_address})
    return HttpResponse(page, status=HTTPStatus.BAD_REQUEST)


def too_many_requests(request: HttpRequest) -> HttpResponse:
    """A limit on attempts was reached: of sign-ups, sign-ins, mails."""
    answer = render(request, "429.html", status=HTTPStatus.TOO_MANY_REQUESTS)
    answer["Retry-After"] = str(RETRY_SECONDS)
    return answer
