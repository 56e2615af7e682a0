"""The calls of the Face Swap API: each parses, asks one thing, and answers."""

import hashlib
import json

from django.conf import settings
from django.views.decorators.csrf import csrf_exempt

from swaps import errors, serializers
from swaps.api import waiting
from swaps.api.answers import Answer, ApiRequest, error_answer
from swaps.api.description import openapi
from swaps.api.endpoints import Call, endpoint
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
def swap(call: Call) -> Answer:
    """``POST /face/swap``"""
    asked = parse(SWAP_CALL, call.body)
    if asked.callback_url or asked.is_async:
        return Answer(serializers.accepted(_request(call, asked)) | {"trace_id": call.trace_id})
    with waiting.admission(call.key.user_id):
        requested = _request(call, asked)
        seconds = min(asked.timeout or DEFAULT_TIMEOUT, settings.FACESWAP_API_MAX_WAIT_SECONDS)
        ended = waiting.wait_for(requested, seconds)
    if ended is None:
        return error_answer(
            errors.Timeout("waited"),
            call.trace_id,
            {"task_id": str(requested.pk)},
        )
    if error := serializers.error_of(ended):
        return error_answer(error, call.trace_id, {"task_id": str(ended.pk)})
    return Answer(serializers.response(ended) | {"trace_id": call.trace_id})


@endpoint(Scope.TASKS)
def tasks(call: Call) -> Answer:
    """``POST /face/tasks``"""
    asked = parse(TASK_CALL, call.body)
    mine = Swap.objects.visible_to(call.key.user)
    if isinstance(asked, RetrieveBatch):
        found = mine.filter(pk__in=parse_ids(asked.ids)).newest_first()
        items = [serializers.task(swap) for swap in found]
        return Answer({"items": items, "count": len(items)})
    found_one = mine.filter(pk__in=parse_ids([_id_of(asked)])).first()
    if found_one is None:
        raise errors.NotFound("task")
    return Answer(serializers.task(found_one))


@csrf_exempt
def not_implemented(request: ApiRequest) -> Answer:
    """Calls that the reference provider offers, and this server does not."""
    error = errors.ApiNotImplemented("call")
    return error_answer(error, request.trace_id)


@csrf_exempt
def no_api(request: ApiRequest) -> Answer:
    error = errors.NoApi("path", path=f"{settings.SITE_PATH}/docs/api/")
    return error_answer(error, request.trace_id)


@csrf_exempt
def description(request: ApiRequest) -> Answer:
    """``GET /face/openapi.json``"""
    if request.method not in {"GET", "HEAD"}:
        error = errors.MethodNotAllowed("get")
        answer = error_answer(error, request.trace_id)
        answer["Allow"] = "GET, HEAD"
        return answer
    return Answer(openapi.document(settings.SITE_URL), json_dumps_params={"indent": 1})


def _request(call: Call, asked: SwapCall) -> Swap:
    body = asked.as_sent()
    return request_by_api(
        ApiCall(
            key=call.key,
            body=body,
            body_digest=hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest(),
            trace_id=call.trace_id,
            callback_url=asked.callback_url or "",
            idempotency_key=call.idempotency_key,
        )
    )


def _id_of(asked: Retrieve) -> str:
    found = asked.id or asked.task_id
    if not found:
        raise errors.BadRequest("no_id")
    return found
