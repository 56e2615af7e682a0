"""The calls of the API: each parses its body, does one thing, and responds."""

import hashlib
import json
from collections.abc import Callable
from typing import TypeVar

from django.conf import settings
from django.views.decorators.csrf import csrf_exempt

from swaps import errors, serializers
from swaps.api import waiting
from swaps.api.answers import ApiRequest, ApiResponse, error_response
from swaps.api.description import openapi
from swaps.api.endpoints import AuthenticatedCall, endpoint
from swaps.api.schemas import (
    DEFAULT_TIMEOUT,
    DETECT_CALL,
    SWAP_CALL,
    TASK_CALL,
    ImageCall,
    Retrieve,
    RetrieveBatch,
    parse,
    parse_ids,
)
from swaps.lifecycle.api_request import request_by_api
from swaps.lifecycle.detect import request_detection
from swaps.lifecycle.request import ApiCall
from swaps.models import Detection, Scope, Swap, User

Task = TypeVar("Task", Swap, Detection)


@endpoint(Scope.SWAP)
def swap(call: AuthenticatedCall) -> ApiResponse:
    """Handle ``POST /face/swap``: request a swap; wait for it unless the call is asynchronous."""
    return _perform(call, parse(SWAP_CALL, call.body), request_by_api)


@endpoint(Scope.SWAP)
def detect(call: AuthenticatedCall) -> ApiResponse:
    """Handle ``POST /face/detect``: find the faces of a picture, as ``swap`` swaps them."""
    return _perform(call, parse(DETECT_CALL, call.body), request_detection)


def _perform(
    call: AuthenticatedCall, parsed: ImageCall, request: Callable[[ApiCall], Task]
) -> ApiResponse:
    """Request what a call asks for; wait for it unless the call is asynchronous."""
    if parsed.callback_url or parsed.is_async:
        requested = request(_api_call(call, parsed))
        return ApiResponse(serializers.accepted(requested) | {"trace_id": call.trace_id})
    with waiting.admission(call.key.user_id):
        requested = request(_api_call(call, parsed))
        seconds = min(parsed.timeout or DEFAULT_TIMEOUT, settings.FACESWAP_API_MAX_WAIT_SECONDS)
        ended = waiting.wait_for(requested, seconds, call.is_leaving)
    if ended is None:
        return error_response(
            errors.Timeout("waited"),
            call.trace_id,
            {"task_id": str(requested.pk)},
        )
    if error := serializers.error_of(ended):
        return error_response(error, call.trace_id, {"task_id": str(ended.pk)})
    return ApiResponse(serializers.response(ended) | {"trace_id": call.trace_id})


@endpoint(Scope.TASKS)
def tasks(call: AuthenticatedCall) -> ApiResponse:
    """Handle ``POST /face/tasks``: return one task, or a list of tasks."""
    parsed = parse(TASK_CALL, call.body)
    if isinstance(parsed, RetrieveBatch):
        items = [serializers.task(each) for each in _find_tasks(call.key.user, parsed.ids)]
        return ApiResponse({"items": items, "count": len(items)})
    found = _find_tasks(call.key.user, [_task_id(parsed)])
    if not found:
        raise errors.NotFound("task")
    return ApiResponse(serializers.task(found[0]))


@csrf_exempt
def not_implemented(request: ApiRequest) -> ApiResponse:
    """Refuse calls that the reference provider offers and this server does not."""
    error = errors.ApiNotImplemented("call")
    return error_response(error, request.trace_id)


@csrf_exempt
def no_api(request: ApiRequest) -> ApiResponse:
    """Refuse paths that no call has."""
    error = errors.NoApi("path", path=f"{settings.SITE_PATH}/docs/api/")
    return error_response(error, request.trace_id)


@csrf_exempt
def description(request: ApiRequest) -> ApiResponse:
    """Return the OpenAPI document: ``GET /face/openapi.json``."""
    if request.method not in {"GET", "HEAD"}:
        error = errors.MethodNotAllowed("get")
        response = error_response(error, request.trace_id)
        response["Allow"] = "GET, HEAD"
        return response
    return ApiResponse(openapi.document(settings.SITE_URL), json_dumps_params={"indent": 1})


def _api_call(call: AuthenticatedCall, parsed: ImageCall) -> ApiCall:
    body = parsed.as_sent()
    return ApiCall(
        key=call.key,
        body=body,
        body_digest=hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest(),
        trace_id=call.trace_id,
        callback_url=parsed.callback_url or "",
        idempotency_key=call.idempotency_key,
    )


def _find_tasks(user: User, texts: list[str]) -> list[Swap | Detection]:
    """Return the swaps and detections of an account by their ids, newest first."""
    ids = parse_ids(texts)
    found: list[Swap | Detection] = [
        *Swap.objects.visible_to(user).filter(pk__in=ids),
        *Detection.objects.visible_to(user).filter(pk__in=ids),
    ]
    return sorted(found, key=lambda task: (task.created_at, task.pk), reverse=True)


def _task_id(parsed: Retrieve) -> str:
    found = parsed.id or parsed.task_id
    if not found:
        raise errors.BadRequest("no_id")
    return found
