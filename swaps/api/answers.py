"""Every answer of the ``/face/`` family, errors included, in one shape and with a trace id."""

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


class Answer(JsonResponse):
    """JSON of the family. Whatever else comes out of it is put into this shape."""


class ApiRequest(HttpRequest):
    """A request of the family; ``answer_headers`` go onto its answer, whatever that is."""

    trace_id: str
    api_key: ApiKey | None
    answer_headers: dict[str, str]


def error_answer(
    error: errors.SwapError, trace_id: str, extra: Mapping[str, Any] | None = None
) -> Answer:
    body = {
        "success": False,
        "error": {"code": error.code, "message": error.message},
        "trace_id": trace_id,
        **(extra or {}),
    }
    answer = Answer(body, status=error.status)
    if error.retry_after:
        answer["Retry-After"] = str(error.retry_after)
    return answer


def body_of(request: HttpRequest) -> Any:
    """What to read the body from. Django takes one that comes in chunks for an empty one."""
    return request.META["wsgi.input"] if "transfer-encoding" in request.headers else request


def drain(request: HttpRequest) -> None:
    """Read what is left of the body: who is still sending would never see the answer.

    Not of one that is announced as far too large, and not for long.
    """
    announced = request.META.get("CONTENT_LENGTH") or "0"
    if not announced.isdigit() or int(announced) > MAX_DRAINED:
        return
    connection: socket.socket | None = request.META.get("gunicorn.socket")
    end = connection.shutdown if connection else lambda _how: None
    timer = threading.Timer(DRAIN_SECONDS, end, (socket.SHUT_RD,))
    timer.daemon = True
    timer.start()
    body, seen = body_of(request), 0
    with contextlib.suppress(OSError):
        while seen <= MAX_DRAINED and (chunk := body.read(CHUNK)):
            seen += len(chunk)
    timer.cancel()
