"""Swaps as the API says them: in answers, in callbacks, and to those who ask for tasks.

The contract's sections 2 to 4. Pictures are presigned URLs, made anew each time.
"""

from typing import Any

from django.conf import settings

from swaps import errors, storage
from swaps.models import Status, Swap

TASK_TYPE = "face_swap"


def accepted(swap: Swap) -> dict[str, Any]:
    return {"success": True, "task_id": str(swap.pk), "trace_id": trace_of(swap)}


def trace_of(swap: Swap) -> str:
    """Of the call that asked for it. Swaps of old versions have none of their own."""
    return swap.trace_id or swap.pk.hex


def response(swap: Swap) -> dict[str, Any]:
    """The body of a synchronous answer, and of a callback, for a swap that has ended."""
    error = error_of(swap)
    if error:
        return {
            "success": False,
            "task_id": str(swap.pk),
            "trace_id": trace_of(swap),
            "error": {"code": error.code, "message": error.message},
        }
    return accepted(swap) | {
        "image_url": _url(swap.result_key),
        "image_width": swap.width,
        "image_height": swap.height,
        "image_size": swap.size,
    }


def error_of(swap: Swap) -> errors.SwapError | None:
    """Why a swap that has ended has no result to show; None when it has."""
    if swap.status == Status.REMOVED:
        return errors.NotFound("This task was removed, with all its pictures.")
    if swap.is_hidden:
        return errors.Forbidden("The result was hidden by the moderation of this site.")
    if swap.is_failed:
        return errors.SwapError.by_code[swap.error_code](_in_words_of_the_wire(swap))
    return None


def _in_words_of_the_wire(swap: Swap) -> str:
    """Which picture an error is about, by the name that a caller gave it."""
    field = f"{swap.error_image}_image_url"
    if not swap.error_image or field in swap.error_message:
        return swap.error_message
    return f"{field}: {swap.error_message}"


def task(swap: Swap) -> dict[str, Any]:
    """What ``/face/tasks`` says of a swap.

    ``status`` stands at the top as long as the task runs: clients look for it there, and would
    otherwise take the URLs in ``request`` for a result.
    """
    body: dict[str, Any] = {
        "id": str(swap.pk),
        "type": TASK_TYPE,
        "status": swap.status,
        "created_at": swap.created_at.timestamp(),
        "trace_id": trace_of(swap),
        "request": swap.request or _browser_request(swap),
    }
    if swap.finished_at is None:
        return body
    started_at = swap.started_at or swap.created_at
    return body | {
        "started_at": started_at.timestamp(),
        "finished_at": swap.finished_at.timestamp(),
        "elapsed": round((swap.finished_at - started_at).total_seconds(), 3),
        "response": response(swap),
    }


def _browser_request(swap: Swap) -> dict[str, Any]:
    """What the same swap would have been as a call."""
    return {
        "source_image_url": _url(swap.source_key),
        "target_image_url": _url(swap.target_key),
    }


def _url(key: str) -> str:
    return storage.presigned_url(key, settings.FACESWAP_SIGNED_URL_SECONDS)
