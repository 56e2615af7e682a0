"""The calls of the API: each parses its body, does one thing, and responds."""

import hashlib
import json

from django.conf import settings
from django.views.decorators.csrf import csrf_exempt

from swaps import errors, serializers
from swaps.api import waiting
from swaps.api.answers import ApiRequest, ApiResponse, error_response
from swaps.api.description import openapi
from swaps.api.endpoints import AuthenticatedCall, endpoint
from swaps.api.schemas import (
    DEFAULT_TIMEOUT,
    SWAP_CALL,
    TASK_CALL,
    Retrieve,
    RetrieveBatch,
    SwapCall,
    parse,
    parse_ids,
)
from swaps.lifecycle.api_request import request_by_api
from swaps.lifecycle.request import ApiCall
from swaps.models import Scope, Swap


@endpoint(Scope.SWAP)
def swap(call: AuthenticatedCall) -> ApiResponse:
    """Handle ``POST /face/swap``: request a swap; wait for it unless the call is asynchronous."""
    parsed = parse(SWAP_CALL, call.body)
    if parsed.callback_url or parsed.is_async:
        return ApiResponse(
            serializers.accepted(_request_swap(call, parsed)) | {"trace_id": call.trace_id}
        )
    with waiting.admission(call.key.user_id):
        requested = _request_swap(call, parsed)
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
    mine = Swap.objects.visible_to(call.key.user)
    if isinstance(parsed, RetrieveBatch):
        found = mine.filter(pk__in=parse_ids(parsed.ids)).newest_first()
        items = [serializers.task(swap) for swap in found]
        return ApiResponse({"items": items, "count": len(items)})
    found_one = mine.filter(pk__in=parse_ids([_task_id(parsed)])).first()
    if found_one is None:
        raise errors.NotFound("task")
    return ApiResponse(serializers.task(found_one))


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


def _request_swap(call: AuthenticatedCall, parsed: SwapCall) -> Swap:
    body = parsed.as_sent()
    return request_by_api(
        ApiCall(
            key=call.key,
            body=body,
            body_digest=hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest(),
            trace_id=call.trace_id,
            callback_url=parsed.callback_url or "",
            idempotency_key=call.idempotency_key,
        )
    )


def _task_id(parsed: Retrieve) -> str:
    found = parsed.id or parsed.task_id
    if not found:
        raise errors.BadRequest("no_id")
    return found
