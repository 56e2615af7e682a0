"""Every answer of the ``/face/`` family, errors included, in one shape and with a trace id."""

import contextlib
import logging
import socket
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse

from swaps import errors, storage_space
from swaps.models import ApiKey

PREFIX = f"{settings.SITE_PATH}/face/"
CHUNK = 65_536
MOST_DRAINED = 50_000_000  # bytes
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


def one_shape(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[Any], HttpResponse]:
    """Middleware, above all that answer: their pages and exceptions become JSON of the API."""

    def middleware(request: ApiRequest) -> HttpResponse:
        if not f"{request.path_info}/".startswith(PREFIX):
            return get_response(request)
        request.trace_id = uuid.uuid4().hex
        request.api_key, request.answer_headers = None, {}
        begun = time.monotonic()
        answer = _answer(get_response, request)
        if answer.status_code >= HTTPStatus.BAD_REQUEST:
            drain(request)
        for name, value in request.answer_headers.items():
            answer[name] = value
        answer["X-Trace-Id"] = request.trace_id
        answer["Cache-Control"] = "no-store"
        # Django would log refusals once more, without their trace.
        setattr(answer, "_has_been_logged", True)  # noqa: B010
        log.info(
            "trace=%s %s %s status=%d key=%s seconds=%.3f",
            request.trace_id,
            request.method,
            quote(request.path_info),
            answer.status_code,
            request.api_key.prefix if request.api_key else "-",
            time.monotonic() - begun,
        )
        return answer

    return middleware


def body_of(request: HttpRequest) -> Any:
    """What to read the body from. Django takes one that comes in chunks for an empty one."""
    return request.META["wsgi.input"] if "transfer-encoding" in request.headers else request


def drain(request: HttpRequest) -> None:
    """Read what is left of the body: who is still sending would never see the answer.

    Not of one that is announced as far too large, and not for long.
    """
    announced = request.META.get("CONTENT_LENGTH") or "0"
    if not announced.isdigit() or int(announced) > MOST_DRAINED:
        return
    connection: socket.socket | None = request.META.get("gunicorn.socket")
    end = connection.shutdown if connection else lambda _how: None
    timer = threading.Timer(DRAIN_SECONDS, end, (socket.SHUT_RD,))
    timer.daemon = True
    timer.start()
    body, seen = body_of(request), 0
    with contextlib.suppress(OSError):
        while seen <= MOST_DRAINED and (chunk := body.read(CHUNK)):
            seen += len(chunk)
    timer.cancel()


def _answer(get_response: Callable[[HttpRequest], HttpResponse], request: ApiRequest) -> Answer:
    try:
        response = get_response(request)
    except Exception:  # even the page that says that something broke has broken
        log.exception("trace=%s broke", request.trace_id)
        return error_answer(_error_of_status(500), request.trace_id)
    if isinstance(response, Answer):
        return response
    if response.status_code == HTTPStatus.INSUFFICIENT_STORAGE:
        return error_answer(storage_space.no_room(), request.trace_id)
    return error_answer(_error_of_status(response.status_code), request.trace_id)


def _error_of_status(status: int) -> errors.SwapError:
    match status:
        case 404:
            return errors.NoApi(
                f"There is no such call. The documentation is at {settings.SITE_PATH}/docs/api/."
            )
        case 405:
            return errors.MethodNotAllowed("This call must be made with another method.")
        case 413:
            return errors.PayloadTooLarge("The body is too large.")
        case status if status >= 500:
            return errors.ApiError(errors.BROKE)
        case status if status >= 400:
            return errors.BadRequest("The request could not be understood.")
    return errors.BadRequest("Call this server by the address that its documentation names.")
