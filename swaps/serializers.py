"""Swaps and detections as JSON of the API: in responses, callbacks, and for ``/face/tasks``.

See the contract's sections 2 to 4. Pictures are presigned URLs, made anew each time.
"""

from typing import Any

from django.conf import settings

from swaps import errors, storage
from swaps.messages import Message
from swaps.models import Detection, Status, Swap

Task = Swap | Detection


def accepted(task: Task) -> dict[str, Any]:
    """Return the body for a task that was accepted and is not finished."""
    return {"success": True, "task_id": str(task.pk), "trace_id": trace_id_of(task)}


def trace_id_of(task: Task) -> str:
    """Return the trace id of the call that requested it; old rows have their id instead."""
    return task.trace_id or task.pk.hex


def response(task: Task) -> dict[str, Any]:
    """Return the body of a synchronous response, or of a callback, for a task that has ended."""
    error = error_of(task)
    if error:
        return {
            "success": False,
            "task_id": str(task.pk),
            "trace_id": trace_id_of(task),
            "error": {"code": error.code, "message": error.message},
        }
    return accepted(task) | (_result(task) if isinstance(task, Swap) else _faces(task))


def _result(swap: Swap) -> dict[str, Any]:
    body: dict[str, Any] = {
        "image_url": _url(swap.result_key),
        "image_width": swap.width,
        "image_height": swap.height,
        "image_size": swap.size,
    }
    if swap.score is not None:  # measured by an engine of ours
        body["quality"] = {"score": round(swap.score, 3), "warnings": swap.warnings}
    return body


def _faces(detection: Detection) -> dict[str, Any]:
    return {
        "image_width": detection.width,
        "image_height": detection.height,
        "faces": detection.faces,
    }


def error_of(task: Task) -> errors.SwapError | None:
    """Return the error of a task that ended without a result to show; None when it has one."""
    if task.status == Status.REMOVED:
        return errors.NotFound("removed")
    if isinstance(task, Swap) and task.is_hidden:
        return errors.Forbidden("hidden")
    if task.is_failed:
        return errors.SwapError.from_row(task.error_code, _explanation_with_field(task))
    return None


def _explanation_with_field(task: Task) -> Message:
    """Return why it failed, with the field of the call that the picture came from."""
    field = _field_of_error(task)
    if not field or field in task.error_text:
        return task.explanation
    return {"code": "bad_request.field", "field": field, "problem": task.explanation}


def _field_of_error(task: Task) -> str:
    if isinstance(task, Detection):
        return "image_url" if task.error_code == errors.InvalidImage.code else ""
    if task.error_image == "source" and "number" in task.explanation:
        return _field_of_source(task, task.explanation["number"])
    return f"{task.error_image}_image_url" if task.error_image else ""


def _field_of_source(swap: Swap, number: int) -> str:
    """Return the field of the call that named the source of this number; see ``swap_pairs``."""
    sent = (swap.request or {}).get("pairs") or []
    for index, (pair, asked) in enumerate(zip(swap.pairs, sent, strict=False)):
        if pair["source"] == number and asked.get("source_image_url"):
            return f"pairs.{index}.source_image_url"
    return "source_image_url"


def task(row: Task) -> dict[str, Any]:
    """Return a swap or a detection as ``/face/tasks`` shows it.

    ``status`` stands at the top while the task runs: clients look for it there, and would otherwise
    take the URLs in ``request`` for a result.
    """
    body: dict[str, Any] = {
        "id": str(row.pk),
        "type": "face_swap" if isinstance(row, Swap) else "face_detect",
        "status": row.status,
        "created_at": row.created_at.timestamp(),
        "trace_id": trace_id_of(row),
        "request": row.request or (_browser_request(row) if isinstance(row, Swap) else {}),
    }
    if row.finished_at is None:
        return body
    started_at = row.started_at or row.created_at
    return body | {
        "started_at": started_at.timestamp(),
        "finished_at": row.finished_at.timestamp(),
        "elapsed": round((row.finished_at - started_at).total_seconds(), 3),
        "response": response(row),
    }


def _browser_request(swap: Swap) -> dict[str, Any]:
    """Return what the request would have been, had the swap come by the API."""
    return {
        "source_image_url": _url(swap.source_key),
        "target_image_url": _url(swap.target_key),
    }


def _url(key: str) -> str:
    return storage.presigned_url(key, settings.FACESWAP_SIGNED_URL_SECONDS)
