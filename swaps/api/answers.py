"""JSON responses of the API: errors in one shape, each response with a trace id."""

import contextlib
import logging
import socket
import threading
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, JsonResponse

from swaps import errors
from swaps.models import ApiKey

PREFIX = f"{settings.SITE_PATH}/face/"
CHUNK = 65_536
MAX_DRAINED = 50_000_000  # bytes
DRAIN_SECONDS = 10.0

log = logging.getLogger(__name__)


class ApiResponse(JsonResponse):
    """A JSON response of the API. The middleware turns every other response into one."""


class ApiRequest(HttpRequest):
    """A request to the API; ``answer_headers`` are added to its response, whatever that is."""

    trace_id: str
    api_key: ApiKey | None
    answer_headers: dict[str, str]


def error_response(
    error: errors.SwapError, trace_id: str, extra: Mapping[str, Any] | None = None
) -> ApiResponse:
    """Return the response for an error, with its status and ``Retry-After``."""
    body = {
        "success": False,
        "error": {"code": error.code, "message": error.message},
        "trace_id": trace_id,
        **(extra or {}),
    }
    answer = ApiResponse(body, status=error.status)
    if error.retry_after:
        answer["Retry-After"] = str(error.retry_after)
    return answer


def body_stream(request: HttpRequest) -> Any:
    """Return the stream of a request's body; Django takes a chunked one for empty."""
    return request.META["wsgi.input"] if "transfer-encoding" in request.headers else request


def drain(request: HttpRequest) -> None:
    """Read the rest of the body: a client that is still sending would never see the response.

    Not when it is announced as far too large, and not for long.
    """
    announced = request.META.get("CONTENT_LENGTH") or "0"
    if not announced.isdigit() or int(announced) > MAX_DRAINED:
        return
    connection: socket.socket | None = request.META.get("gunicorn.socket")
    end = connection.shutdown if connection else lambda _how: None
    timer = threading.Timer(DRAIN_SECONDS, end, (socket.SHUT_RD,))
    timer.daemon = True
    timer.start()
    body, seen = body_stream(request), 0
    with contextlib.suppress(OSError):
        while seen <= MAX_DRAINED and (chunk := body.read(CHUNK)):
            seen += len(chunk)
    timer.cancel()
