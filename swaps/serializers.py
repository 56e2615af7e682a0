"""Swaps as JSON of the API: in responses, in callbacks, and for ``/face/tasks``.

See the contract's sections 2 to 4. Pictures are presigned URLs, made anew each time.
"""

from typing import Any

from django.conf import settings

from swaps import errors, storage
from swaps.messages import Message
from swaps.models import Status, Swap

TASK_TYPE = "face_swap"


def accepted(swap: Swap) -> dict[str, Any]:
    """Return the body for a swap that was accepted and is not finished."""
    return {"success": True, "task_id": str(swap.pk), "trace_id": trace_id_of(swap)}


def trace_id_of(swap: Swap) -> str:
    """Return the trace id of the call that requested the swap; old rows have their id instead."""
    return swap.trace_id or swap.pk.hex


def response(swap: Swap) -> dict[str, Any]:
    """Return the body of a synchronous response, or of a callback, for a swap that has ended."""
    error = error_of(swap)
    if error:
        return {
            "success": False,
            "task_id": str(swap.pk),
            "trace_id": trace_id_of(swap),
            "error": {"code": error.code, "message": error.message},
        }
    body = accepted(swap) | {
        "image_url": _url(swap.result_key),
        "image_width": swap.width,
        "image_height": swap.height,
        "image_size": swap.size,
    }
    if swap.score is not None:  # measured by an engine of ours
        body["quality"] = {"score": round(swap.score, 3), "warnings": swap.warnings}
    return body


def error_of(swap: Swap) -> errors.SwapError | None:
    """Return the error of a swap that ended without a result to show; None when it has one."""
    if swap.status == Status.REMOVED:
        return errors.NotFound("removed")
    if swap.is_hidden:
        return errors.Forbidden("hidden")
    if swap.is_failed:
        return errors.SwapError.from_row(swap.error_code, _explanation_with_field(swap))
    return None


def _explanation_with_field(swap: Swap) -> Message:
    """Return why it failed, with the field of the call that the picture came from."""
    field = f"{swap.error_image}_image_url"
    if not swap.error_image or field in swap.error_text:
        return swap.explanation
    return {"code": "bad_request.field", "field": field, "problem": swap.explanation}


def task(swap: Swap) -> dict[str, Any]:
    """Return a swap as ``/face/tasks`` shows it.

    ``status`` stands at the top while the task runs: clients look for it there, and would otherwise
    take the URLs in ``request`` for a result.
    """
    body: dict[str, Any] = {
        "id": str(swap.pk),
        "type": TASK_TYPE,
        "status": swap.status,
        "created_at": swap.created_at.timestamp(),
        "trace_id": trace_id_of(swap),
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
    """Return what the request would have been, had the swap come by the API."""
    return {
        "source_image_url": _url(swap.source_key),
        "target_image_url": _url(swap.target_key),
    }


def _url(key: str) -> str:
    return storage.presigned_url(key, settings.FACESWAP_SIGNED_URL_SECONDS)
