"""Requests that no browser sends: answered before anything else looks at them."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse


def refuse_strange_requests(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: forgets session cookies that are none, refuses encodings that are none."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if not request.COOKIES.get(settings.SESSION_COOKIE_NAME, "").isalnum():
            # PostgreSQL, for one, cannot even look for a key with a NUL in it.
            request.COOKIES.pop(settings.SESSION_COOKIE_NAME, None)
        try:
            b"a".decode(request.encoding or "utf-8")
        except (LookupError, UnicodeError):
            return HttpResponse("Unknown charset.", status=400, content_type="text/plain")
        return get_response(request)

    return middleware
