"""What all API calls share: method, key, rate limit, body, and response headers."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps

from django.conf import settings
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from swaps import errors
from swaps.accounts import rate_limit
from swaps.api import bodies
from swaps.api.answers import ApiRequest, ApiResponse, error_response
from swaps.api.auth import authenticate
from swaps.models import ApiAccess, ApiKey, Scope
from swaps.runtime.request_slots import IS_LEAVING
from swaps.storage import space

MAX_IDEMPOTENCY_CHARACTERS = 255


@dataclass(frozen=True, kw_only=True)
class AuthenticatedCall:
    """A call with its key, body and idempotency key, after all checks that calls share."""

    key: ApiKey
    body: bytes
    idempotency_key: str
    trace_id: str
    is_leaving: Callable[[], bool]  # whether this process is about to stop


View = Callable[[ApiRequest], ApiResponse]

log = logging.getLogger(__name__)


def endpoint(scope: Scope) -> Callable[[Callable[[AuthenticatedCall], ApiResponse]], View]:
    """Turn a function that answers authenticated calls into a view."""

    def decorate(handle: Callable[[AuthenticatedCall], ApiResponse]) -> View:
        @csrf_exempt
        @wraps(handle)
        def view(request: ApiRequest) -> ApiResponse:
            try:
                return handle(_admit(request, scope))
            except errors.SwapError as error:
                response = error_response(error, request.trace_id)
                if isinstance(error, errors.MethodNotAllowed):
                    response["Allow"] = "POST"
                return response
            except Exception as error:
                log.exception("trace=%s broke", request.trace_id)
                is_full = space.is_disk_full_error(error)
                shown_error = space.disk_full_error() if is_full else errors.ApiError("broke")
                return error_response(shown_error, request.trace_id)
            finally:
                _add_quota_header(request)

        return view

    return decorate


def _admit(request: ApiRequest, scope: Scope) -> AuthenticatedCall:
    """Check the method, the key, the rate limit and the scope of a request, and read its body."""
    if request.method != "POST":
        raise errors.MethodNotAllowed("post")
    now = timezone.now()
    request.api_key = key = authenticate(request, now)
    rate, may_call = rate_limit.count_call(key.user, now)
    request.answer_headers = {
        "X-RateLimit-Limit": str(rate.limit),
        "X-RateLimit-Remaining": str(rate.remaining),
        "X-RateLimit-Reset": str(rate.reset),
    }
    if not may_call:
        raise rate_limit.refusal(rate, now)
    key.record_use(now)
    if not key.has_scope(scope):
        raise errors.TokenMismatched("scope", scope=key.get_scope_display().lower())
    return AuthenticatedCall(
        key=key,
        body=_read_body(request),
        idempotency_key=_idempotency_key(request),
        trace_id=request.trace_id,
        is_leaving=request.META.get(IS_LEAVING, lambda: False),
    )


def _read_body(request: ApiRequest) -> bytes:
    if request.content_type not in {"application/json", ""}:
        raise errors.BadRequest("content_type")
    return bodies.read(request, settings.FACESWAP_API_MAX_BODY_BYTES)


def _idempotency_key(request: ApiRequest) -> str:
    key = request.headers.get("Idempotency-Key", "").strip()
    is_plain = key.isascii() and key.isprintable()
    if len(key) > MAX_IDEMPOTENCY_CHARACTERS or not is_plain:
        raise errors.BadRequest("idempotency_key", limit=MAX_IDEMPOTENCY_CHARACTERS)
    return key


def _add_quota_header(request: ApiRequest) -> None:
    if request.api_key:
        left = ApiAccess.objects.remaining_of(request.api_key.user)
        request.answer_headers["X-Quota-Remaining"] = str(left)
