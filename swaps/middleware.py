"""Middleware for every request: proxies, caching, invalid requests and endless bodies."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.exceptions import BadRequest, RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.shortcuts import render
from django.utils.cache import patch_cache_control

from swaps.net import proxies
from swaps.redaction import is_secret_path

View = Callable[[HttpRequest], HttpResponse]

# A file that is too big is read to its end and dropped, so that the form can say which one it was
# and keep the others; past this many times the limit nobody chose a wrong file by mistake. A batch
# without scripts sends all its photos at once, and the face.
BODY_LIMIT_IN_FILES = 10
BATCH_PATH = "/batches/new/"  # the one form with more photos
FORWARDED_HEADERS = (
    "HTTP_FORWARDED",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_REAL_IP",
)


def trust_known_proxies_only(get_response: View) -> View:
    """Middleware: set ``REMOTE_ADDR`` to the client's address.

    Forwarded headers count only from the proxies in FACESWAP_TRUSTED_PROXIES; others are dropped.
    """
    trusted = proxies.parse_networks(settings.FACESWAP_TRUSTED_PROXIES)

    def middleware(request: HttpRequest) -> HttpResponse:
        peer = request.META.get("REMOTE_ADDR", "")
        forwarded = {name: request.META.pop(name, "") for name in FORWARDED_HEADERS}
        forwarded_for = ""
        if proxies.is_trusted(peer, trusted):
            forwarded_for = forwarded["HTTP_X_FORWARDED_FOR"]
            # Of several the last is the trusted proxy's own; Django would read the first.
            scheme = forwarded["HTTP_X_FORWARDED_PROTO"].rpartition(",")[2].strip()
            request.META["HTTP_X_FORWARDED_PROTO"] = scheme
        request.META["REMOTE_ADDR"] = proxies.client_address(peer, forwarded_for, trusted)
        return get_response(request)

    return middleware


def protect_private_pages(get_response: View) -> View:
    """Middleware: keep pages out of shared caches, and secret URLs out of Referer headers.

    Pages at a secret URL send requests of their own (styles, scripts, forms). Their Referer header
    then names the site only: a full one would stand in the log of a proxy, and with none at all a
    form would be refused (its Origin would be "null").
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if not response.has_header("Cache-Control"):
            patch_cache_control(response, private=True)
        if is_secret_path(request.path_info):
            response["Referrer-Policy"] = "strict-origin"
        return response

    return middleware


class CompressPages(GZipMiddleware):
    """Middleware: compress pages, with padding of a random length against BREACH.

    A page that must not be stored shows a secret, and is not compressed at all. Neither are
    pictures and archives, which would not get smaller, nor answers of the API.
    """

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        is_page = response.headers.get("Content-Type", "").startswith("text/html")
        if not is_page or "no-store" in response.headers.get("Cache-Control", ""):
            return response
        return super().process_response(request, response)


def refuse_malformed_requests(get_response: View) -> View:
    """Middleware: drop malformed session cookies, refuse unknown charsets with 400."""

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


class BoundedBody:
    """A chunked request body, whose length is not announced: read up to a limit.

    Raises RequestDataTooBig past the limit, and BadRequest when the body cannot be read to its end.
    """

    def __init__(self, body: Any, limit: int) -> None:
        self._body = body
        self._left = limit

    def read(self, size: int = -1) -> bytes:
        return self._bounded(self._body.read, size)

    def readline(self, size: int = -1) -> bytes:
        return self._bounded(self._body.readline, size)

    def close(self) -> None:
        """Do nothing: no resource is held."""

    def _bounded(self, read: Callable[[int], bytes], size: int) -> bytes:
        try:
            data = read(self._left + 1 if size < 0 else min(size, self._left + 1))
        except OSError as error:
            raise BadRequest("The body cannot be read to its end") from error
        self._left -= len(data)
        if self._left < 0:
            raise RequestDataTooBig("The body is longer than the site accepts")
        return data


def refuse_endless_bodies(get_response: View) -> View:
    """Middleware: refuse with 413 what announces far more bytes than all photos of a form.

    A chunked body announces nothing, and is read up to that limit.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        is_batch = request.path_info == BATCH_PATH
        files = settings.FACESWAP_MAX_BATCH + 1 if is_batch else BODY_LIMIT_IN_FILES
        limit = files * settings.FACESWAP_MAX_UPLOAD_BYTES
        if "Transfer-Encoding" in request.headers:
            body: Any = BoundedBody(request.META["wsgi.input"], limit)
            request._stream = body  # noqa: SLF001
            if request.content_type == "multipart/form-data":
                # Django takes a form without a length for an empty one; any length will do.
                request.META["CONTENT_LENGTH"] = str(limit)
            return get_response(request)
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length.isascii() and length.isdigit() and int(length) <= limit:
            return get_response(request)
        return render(request, "413.html", status=413)

    return middleware
