"""Parses what a provider sends: responses, callbacks, tasks, errors, in every spelling."""

import json
import re
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from swaps.redaction import printable

MAX_ID_CHARACTERS: Final = 200
MAX_URL_CHARACTERS: Final = 4_000
MAX_CODE_CHARACTERS: Final = 100
MAX_TEXT_CHARACTERS: Final = 1_000

_WORD: Final = re.compile(r"[a-z0-9_.]+")


class NotUnderstood(ValueError):
    """The body is not what the contract allows."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The outcome of one task: a picture or a failure; of a response, perhaps neither yet."""

    task_id: str
    image_url: str = ""
    error_code: str = ""  # lower case; the provider's own word
    error_message: str = ""
    is_running: bool = False

    @property
    def is_failure(self) -> bool:
        return not (self.image_url or self.is_running)


def parse_callback(body: bytes) -> Outcome:
    """Parse a callback, or the response of a synchronous call: a task and its outcome."""
    outcome = parse_response(body)
    if not outcome.task_id:
        raise NotUnderstood("no task_id")
    if outcome.is_running:
        raise NotUnderstood("neither a picture nor an error")
    return outcome


def parse_response(body: bytes) -> Outcome:
    """Parse the response to a call. A failure may lack a ``task_id``: no task was started."""
    payload = _object(body)
    task_id = _first_id(payload.get("task_id"), payload.get("id"))
    image_url = _url(payload.get("image_url"))
    if _has_failed(payload, image_url):
        return _failure(task_id, payload)
    if not task_id:
        raise NotUnderstood("no task_id")
    return Outcome(task_id=task_id, image_url=image_url, is_running=not image_url)


def parse_task(body: bytes) -> Outcome | None:
    """Parse a response of ``/face/tasks``; return None while the task runs.

    The rules are those of published clients: ``response``, or all of it when that is absent; a
    ``status`` or ``state`` in it, then an error, then a picture's URL. What stands in ``request``
    is never looked at: it holds URLs as well. A failure without a ``task_id`` is one of the call,
    not of the task.
    """
    payload = _object(body)
    response = payload.get("response")
    answer = response if isinstance(response, dict) and response else payload
    task_id = _first_id(
        answer.get("task_id"), payload.get("task_id"), payload.get("id"), answer.get("id")
    )
    word = _first(_status(name, value) for name, value in _walk(answer))
    image_url = _first(_url(value) for name, value in _walk(answer) if name == "image_url")
    if "failed" in {word, _status("status", payload.get("status"))}:
        return _failure(task_id, answer)
    if word == "succeeded" and not image_url:
        raise NotUnderstood("succeeded, but without a picture")
    if word not in {"", "succeeded"}:
        return None
    if not word and _has_failed(answer, image_url):
        return _failure(task_id, answer)
    if image_url:
        return Outcome(task_id=task_id, image_url=image_url)
    if not task_id:
        raise NotUnderstood("neither a task nor an error")
    return None


def parse_error(body: bytes) -> tuple[str, str]:
    """Return code and message of an error's body; empty where it has none."""
    try:
        return _error_fields(_object(body))
    except NotUnderstood:
        return "", ""


# --- Parts ----------------------------------------------------------------------------------------


def _object(body: bytes) -> dict[str, Any]:
    payload = None
    # Not UTF-8, not JSON, endless digits, nested too deeply. Their errors quote all of the body.
    with suppress(ValueError, RecursionError):
        payload = json.loads(body.decode("utf-8-sig"))
    if not isinstance(payload, dict):
        raise NotUnderstood("not a JSON object")
    return payload


def _walk(payload: dict[str, Any]) -> Iterator[tuple[str, object]]:
    """Yield all names and values, the outermost first; without recursion, for deep nesting."""
    waiting: deque[object] = deque([payload])
    while waiting:
        here = waiting.popleft()
        if isinstance(here, list):
            waiting.extend(here)
        elif isinstance(here, dict):
            for name, value in here.items():
                if name != "request":
                    yield name, value
                    waiting.append(value)


def _first(found: Iterable[str]) -> str:
    return next(filter(None, found), "")


def _status(name: str, value: object) -> str:
    return value.lower() if name in {"status", "state"} and isinstance(value, str) else ""


def _first_id(*values: object) -> str:
    return _first(_id(value) for value in values)


def _id(value: object) -> str:
    if not isinstance(value, str) or len(value) > MAX_ID_CHARACTERS or not value.strip():
        return ""
    return value if value.isprintable() else ""


def _url(value: object) -> str:
    if not isinstance(value, str) or len(value) > MAX_URL_CHARACTERS:
        return ""
    url = value.strip()
    is_url = url.lower().startswith(("http://", "https://")) and url.isprintable()
    return url if is_url and " " not in url else ""


def _has_failed(payload: dict[str, Any], image_url: str) -> bool:
    if _is_flag(payload.get("success"), is_true=False):
        return True
    return any(_error_in(payload)) and not (
        image_url and _is_flag(payload.get("success"), is_true=True)
    )


def _is_flag(value: object, *, is_true: bool) -> bool:
    return value is is_true or (isinstance(value, str) and value.lower() == str(is_true).lower())


def _failure(task_id: str, payload: dict[str, Any]) -> Outcome:
    code, message = _error_fields(payload)
    return Outcome(task_id=task_id, error_code=code, error_message=message)


def _error_fields(payload: dict[str, Any]) -> tuple[str, str]:
    """Return code and message in ``error``, otherwise in the fields beside it."""
    code, message = _error_in(payload)
    if code or message:
        return code, message
    return _code(payload.get("code")), _text(payload.get("message")) or _text(payload.get("detail"))


def _error_in(payload: dict[str, Any]) -> tuple[str, str]:
    error = payload.get("error")
    if isinstance(error, list):
        error = next((one for one in error if isinstance(one, str | dict)), None)
    if isinstance(error, str):  # a code or a sentence
        is_sentence = " " in error.strip() or not _code(error)
        return ("", _text(error)) if is_sentence else (_code(error), "")
    if isinstance(error, dict):
        return _code(error.get("code")), _text(error.get("message")) or _text(error.get("detail"))
    return "", ""


def _code(value: object) -> str:
    """Normalize an error code: ``No-Face`` and ``no face`` become ``no_face``."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return ""
    word = re.sub(r"[\s-]+", "_", value.strip().lower()[:MAX_CODE_CHARACTERS])
    return word if _WORD.fullmatch(word) else ""


def _text(value: object) -> str:
    if not isinstance(value, str):
        return ""
    text = value[:MAX_TEXT_CHARACTERS]
    return (text if text.isprintable() else "".join(printable(text))).strip()
