"""Limits on request bodies, kept while they stream in."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
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


def refuse_endless_bodies(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: a request that announces far more than two photos is not read at all."""

    def middleware(request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        limit = BODY_LIMIT_IN_FILES * settings.FACESWAP_MAX_UPLOAD_BYTES
        if length.isascii() and length.isdigit() and int(length) <= limit:
            return get_response(request)
        return render(request, "413.html", status=413)

    return middleware
