"""Limits on request bodies, kept while they stream in."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.exceptions import BadRequest, RequestDataTooBig
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

# A file that is too big is read to its end and dropped, so that the form can say which one it was
# and keep the other; past this many times the limit nobody chose a wrong file by mistake.
BODY_LIMIT_IN_FILES = 10


class BoundedUploadHandler(TemporaryFileUploadHandler):
    """Writes no more of a file than its limit, and remembers how big it really was."""

    file: Any

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.seen = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self.seen += len(raw_data)
        if self.seen <= settings.FACESWAP_MAX_UPLOAD_BYTES:
            self.file.write(raw_data)


class BoundedBody:
    """A body that comes in chunks, without saying how long it will be: read up to a limit.

    Past the limit it raises RequestDataTooBig; a body that cannot be read to its end BadRequest.
    """

    def __init__(self, body: Any, limit: int) -> None:
        self._body = body
        self._left = limit

    def read(self, size: int = -1) -> bytes:
        return self._bounded(self._body.read, size)

    def readline(self, size: int = -1) -> bytes:
        return self._bounded(self._body.readline, size)

    def close(self) -> None:
        """Nothing is held."""

    def _bounded(self, read: Callable[[int], bytes], size: int) -> bytes:
        try:
            data = read(self._left + 1 if size < 0 else min(size, self._left + 1))
        except OSError as error:
            raise BadRequest("The body cannot be read to its end") from error
        self._left -= len(data)
        if self._left < 0:
            raise RequestDataTooBig("The body is longer than the site accepts")
        return data


def refuse_endless_bodies(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: a request that announces far more than two photos is not read at all.

    One that comes in chunks announces nothing, and is read as far as that.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        limit = BODY_LIMIT_IN_FILES * settings.FACESWAP_MAX_UPLOAD_BYTES
        if "Transfer-Encoding" in request.headers:
            body: Any = BoundedBody(request.META["wsgi.input"], limit)
            request._stream = body  # noqa: SLF001
            if request.content_type == "multipart/form-data":
                # Django takes a form without a length for an empty one; it asks for no more.
                request.META["CONTENT_LENGTH"] = str(limit)
            return get_response(request)
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length.isascii() and length.isdigit() and int(length) <= limit:
            return get_response(request)
        return render(request, "413.html", status=413)

    return middleware
