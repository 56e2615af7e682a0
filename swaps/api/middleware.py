"""Middleware that makes every response below ``/face/`` JSON of the API, errors included."""

import logging
import time
import uuid
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from swaps import errors
from swaps.api.answers import ApiRequest, ApiResponse, drain, error_response
from swaps.storage import space

PREFIX = f"{settings.SITE_PATH}/face/"

log = logging.getLogger(__name__)


def api_error_middleware(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[Any], HttpResponse]:
    """Middleware, above all others: turn pages and exceptions into JSON errors of the API."""

    def middleware(request: ApiRequest) -> HttpResponse:
        if not f"{request.path_info}/".startswith(PREFIX):
            return get_response(request)
        request.trace_id = uuid.uuid4().hex
        request.api_key, request.answer_headers = None, {}
        begun = time.monotonic()
        answer = _get_api_response(get_response, request)
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


def _get_api_response(
    get_response: Callable[[HttpRequest], HttpResponse], request: ApiRequest
) -> ApiResponse:
    try:
        response = get_response(request)
    except Exception:  # even the page that says that something broke has broken
        log.exception("trace=%s broke", request.trace_id)
        return error_response(_error_of_status(500), request.trace_id)
    if isinstance(response, ApiResponse):
        return response
    if response.status_code == HTTPStatus.INSUFFICIENT_STORAGE:
        return error_response(space.disk_full_error(), request.trace_id)
    return error_response(_error_of_status(response.status_code), request.trace_id)


def _error_of_status(status: int) -> errors.SwapError:
    match status:
        case 404:
            return errors.NoApi("path", path=f"{settings.SITE_PATH}/docs/api/")
        case 405:
            return errors.MethodNotAllowed("other")
        case 413:
            return errors.PayloadTooLarge("any")
        case status if status >= 500:
            return errors.ApiError("broke")
        case status if status >= 400:
            return errors.BadRequest("request")
    return errors.BadRequest("address")
