"""The client of a hosted provider's API: submit a swap, ask for a task, fetch a result.

Nothing is repeated in here: when to try again is decided by whoever calls, with the row at hand.
Where the provider refuses, the ``SwapError`` is for people, and its cause is for staff.
"""

import datetime
import email.utils
import logging
import math
import time
from typing import Final

from django.conf import settings

from swaps import errors, images, net, storage
from swaps.hosted import parser
from swaps.hosted.messages import BUSY_CODES, CODES_OF_STATUS, OPERATORS_CODES, to_swap_error
from swaps.hosted.transport import GATEWAY_TIMEOUTS, ProviderResponse, post
from swaps.images import budget
from swaps.providers.base import (
    Accepted,
    Answered,
    Finished,
    ProviderError,
    RemoteRequest,
    ResponseLost,
    RetryLater,
)
from swaps.providers.result import encode_result
from swaps.redaction import scrub

__all__ = ("URL_SLACK", "fetch_result", "get_task", "picture_url", "submit", "to_swap_error")

URL_SLACK: Final = datetime.timedelta(minutes=15)
FETCH_SECONDS: Final = 30.0
MAX_RETRY_AFTER_SECONDS: Final = 3600.0
MAX_DIFFERENCE: Final = 0.02  # of the result's proportions from the target's
MAX_PROBLEM_CHARACTERS: Final = 200
# Before anything was done: the request took too long to arrive, or came too early.
_MAY_COME_AGAIN: Final = frozenset({408, 425})

log = logging.getLogger(__name__)


def picture_url(key: str) -> str:
    """Return a presigned URL of a picture, for the provider to fetch."""
    return storage.presigned_url(key, settings.HOSTED_URL_SECONDS)


def submit(request: RemoteRequest) -> Accepted | Answered:
    """Submit one swap. Raises ``errors.SwapError``, ``RetryLater`` and ``ResponseLost``."""
    source, target = "source_image_url", "target_image_url"
    if settings.FACESWAP_HOSTED_EXCHANGE:  # this provider reads the two the other way round
        source, target = target, source
    payload = {
        source: request.source_image_url,
        target: request.target_image_url,
        "callback_url": request.callback_url,
    }
    response = post("/face/swap", payload, idempotency_key=request.idempotency_key)
    outcome = _parse_response(response)
    if outcome is None:
        if response.is_success or response.status in GATEWAY_TIMEOUTS:
            raise ResponseLost(
                "provider.answer",
                answer=_problem_text(response, "", "an answer that cannot be understood"),
            )
        raise _refusal_error(response, *parser.parse_error(response.body))
    if response.status in GATEWAY_TIMEOUTS:  # the provider waited for the picture, and still works
        if outcome.task_id:
            return Accepted(task_id=outcome.task_id)
        raise ResponseLost(
            "provider.answer",
            answer=_problem_text(response, outcome.error_code, outcome.error_message),
        )
    if outcome.is_failure or not response.is_success:
        raise _refusal_error(response, outcome.error_code, outcome.error_message)
    if outcome.image_url:
        return Answered(task_id=outcome.task_id, image_url=outcome.image_url)
    return Accepted(task_id=outcome.task_id)


def _parse_response(response: ProviderResponse) -> parser.Outcome | None:
    """Parse a response; return None when it cannot be understood."""
    try:
        return parser.parse_response(response.body)
    except parser.NotUnderstood:
        return None


def get_task(task_id: str) -> Accepted | Answered:
    """Return what became of a task; ``Accepted`` while it is being worked on.

    Raises ``errors.NotFound`` where the provider does not know it, ``errors.ApiNotImplemented``
    where it cannot be asked at all, and ``RetryLater`` for whatever may pass; any other
    ``errors.SwapError`` is how the task ended, or that our key is not taken any more.
    """
    try:
        response = post("/face/tasks", {"id": task_id, "action": "retrieve"})
    except ResponseLost as trouble:  # to have been asked does no harm
        raise RetryLater.explained(trouble.explanation) from None
    if not response.is_success:
        raise _task_error(response, *parser.parse_error(response.body))
    try:
        outcome = parser.parse_task(response.body)
    except parser.NotUnderstood as error:
        raise RetryLater(
            "provider.answer", answer=_problem_text(response, "", str(error))
        ) from None
    if outcome is None:
        return Accepted(task_id=task_id)
    if outcome.task_id not in {"", task_id}:
        raise RetryLater(
            "provider.answer",
            answer=_problem_text(response, "", "another task than the one that was asked for"),
        )
    if outcome.image_url:
        return Answered(task_id=task_id, image_url=outcome.image_url)
    if outcome.task_id:
        raise to_swap_error(outcome.error_code, outcome.error_message)
    raise _task_error(response, outcome.error_code, outcome.error_message)


def fetch_result(image_url: str, *, target_key: str) -> Finished:
    """Fetch a result, check its proportions, re-encode it, and mark it as made by AI.

    Raises ``net.NotReached`` and ``net.BadResponse`` for what may be there later, and
    ``errors.ApiError`` for what cannot become right: a URL that may not be asked, not a picture,
    too large, of other proportions than the target. ``FileNotFoundError``: the target is gone.
    ``errors.Overloaded``, ``errors.TooManyRequests``: too many pictures are being opened.
    """
    target = images.dimensions(storage.read(target_key))
    try:
        data = net.fetch(
            image_url,
            max_bytes=settings.FACESWAP_HOSTED_MAX_RESULT_BYTES,
            seconds=FETCH_SECONDS,
            only=settings.FACESWAP_HOSTED_RESULT_HOSTS,
        )
        limit = settings.FACESWAP_MAX_PIXELS
        with budget.reserve(images.memory_needed(data, max_pixels=limit), who="results"):
            result = images.open_photo(data, max_pixels=limit)
            width, height = result.size
            if math.isclose(width * target[1], height * target[0], rel_tol=MAX_DIFFERENCE):
                return encode_result(result, target_key=target_key)
        trouble = ProviderError(
            "provider.proportions",
            width=width,
            height=height,
            target_width=target[0],
            target_height=target[1],
        )
    except (net.NotAllowed, net.TooLarge, images.ImageRefused) as error:
        trouble = ProviderError("provider.answer", answer=error.explanation)
    log.warning("The provider's result cannot be used: %s", trouble)
    raise errors.ApiError("result_unusable") from trouble


# --- Refusals -------------------------------------------------------------------------------------


def _task_error(
    response: ProviderResponse, code: str, message: str
) -> errors.SwapError | RetryLater:
    """Return why ``/face/tasks`` tells nothing of the task."""
    if code in {"api_not_implemented", "no_api"} or response.status == 405:
        return errors.ApiNotImplemented("provider")
    if code == "not_found" or (response.status == 404 and not code):
        return errors.NotFound("provider")
    return _refusal_error(response, code, message)


def _refusal_error(
    response: ProviderResponse, code: str, message: str
) -> errors.SwapError | RetryLater:
    """Return the error of a call that did nothing: it may come again, or must not."""
    described = _problem_text(response, code, message)
    if response.status == 429 or code in BUSY_CODES:
        return RetryLater(
            "provider.answer", answer=described, is_busy=True, retry_after=_retry_after(response)
        )
    if response.status >= 500 or response.status in _MAY_COME_AGAIN:
        return RetryLater("provider.answer", answer=described, retry_after=_retry_after(response))
    if code not in errors.SwapError.by_code:
        code = CODES_OF_STATUS.get(response.status, code)
    error = to_swap_error(code, message)
    if isinstance(error, errors.ApiError):  # nothing that another photo would help against
        log.log(
            logging.ERROR if code in OPERATORS_CODES else logging.WARNING,
            "The provider refuses: %s",
            described,
        )
    error.__cause__ = ProviderError("provider.answer", answer=described)
    return error


def _problem_text(response: ProviderResponse, code: str, message: str) -> str:
    """Return a line for staff without secrets, like ``503 api_error: The database is away``."""
    detail = ": ".join(filter(None, (code, message)))
    scrubbed = scrub(f"{response.status} {detail}", settings.FACESWAP_HOSTED_KEY)
    return scrubbed[:MAX_PROBLEM_CHARACTERS]


def _retry_after(response: ProviderResponse) -> float | None:
    """Return a Retry-After header in seconds; it has seconds or a date (RFC 9110, 10.2.3)."""
    try:
        seconds = float(response.retry_after)
    except ValueError:
        seconds = _seconds_until(response.retry_after)
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_SECONDS) if math.isfinite(seconds) else None


def _seconds_until(date: str) -> float:
    try:
        at = email.utils.parsedate_to_datetime(date)
        return (at if at.tzinfo else at.replace(tzinfo=datetime.UTC)).timestamp() - time.time()
    except (ValueError, TypeError, OverflowError):
        return math.nan
