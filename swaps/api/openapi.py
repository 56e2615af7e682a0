"""The description of the API, OpenAPI 3.1. The documentation page is generated from it."""

from collections.abc import Iterable
from functools import cache
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from swaps import errors
from swaps.api import examples, schemas

VERSION = "1.0"
# What the reference provider's family has besides.
NOT_OFFERED = ("analyze", "beautify", "change-age", "change-gender", "cartoon", "detect-live")
REF = "#/components/schemas/{model}"

# When each error is met (contract, section 5), in the order in which the page shows them.
MEANINGS: dict[type[errors.SwapError], str] = {
    errors.BadRequest: "The body is not JSON, a field is missing, of the wrong type or out of "
    "range, or an image URL may not be fetched.",
    errors.NoToken: "There is no `authorization` header.",
    errors.TokenMismatched: "The key is real, but its scope does not cover this call.",
    errors.ApiNotImplemented: "A call of the face family that this server does not offer.",
    errors.InvalidImage: "Fetched, but not an image that is accepted: its type, size, number of "
    "pixels, or it is broken.",
    errors.NoFace: "No face was found; the message says in which image.",
    errors.InvalidToken: "The key is wrong, revoked or malformed.",
    errors.TokenExpired: "The key is past its date.",
    errors.UsedUp: "The quota is spent. Failed swaps are given back.",
    errors.Disabled: "The account or the key was disabled by moderation.",
    errors.Forbidden: "The content was refused by moderation.",
    errors.NoApi: "There is no such path.",
    errors.NotFound: "There is no such task, or it is not yours.",
    errors.MethodNotAllowed: "The call must be made with another method.",
    errors.IdempotencyConflict: "The `Idempotency-Key` was used with another body.",
    errors.PayloadTooLarge: "The body is over the limit.",
    errors.TooManyRequests: "Too many calls a minute, or too many calls waiting for results. "
    "`Retry-After` says how many seconds to wait.",
    errors.ApiError: "Something broke on our side; or there is no room for new pictures, and "
    "`Retry-After` says how many seconds to wait.",
    errors.Timeout: "The call waited as long as it was told to. The task goes on: `task_id` "
    "stands beside `error`.",
}
OF_EVERY_CALL = (
    errors.BadRequest,
    errors.NoToken,
    errors.TokenMismatched,
    errors.InvalidToken,
    errors.TokenExpired,
    errors.Disabled,
    errors.MethodNotAllowed,
    errors.PayloadTooLarge,
    errors.TooManyRequests,
    errors.ApiError,
)
OF_SWAP = (
    *OF_EVERY_CALL,
    errors.InvalidImage,
    errors.NoFace,
    errors.UsedUp,
    errors.Forbidden,
    errors.NotFound,
    errors.IdempotencyConflict,
    errors.Timeout,
)
OF_TASKS = (*OF_EVERY_CALL, errors.NotFound)


@cache
def document(site_url: str) -> dict[str, Any]:
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Face Swap API",
            "version": VERSION,
            "summary": "Two picture URLs in, one picture out.",
            "description": "Puts the face of one picture into another: at once, or at your "
            "callback when it is done.\n\n"
            f"{', '.join(f'`/face/{name}`' for name in NOT_OFFERED)} of the same family are not "
            "offered: they answer with 400 `api_not_implemented`, and any other path below "
            "`/face/` with 404 `no_api`.",
        },
        "servers": [{"url": site_url}],
        "security": [{"key": []}],
        "paths": {
            "/face/swap": {"post": _swap(site_url)},
            "/face/tasks": {"post": _tasks(site_url)},
        },
        "components": {
            "schemas": _schemas(),
            "responses": _responses_of_other_paths(),
            "headers": _headers(),
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "Your key, which begins with `fs_`.",
                }
            },
        },
    }


def error_codes(operation: dict[str, Any]) -> list[str]:
    """The codes that an operation of the document, or its components, may answer with."""
    return [
        code
        for answer in operation["responses"].values()
        for code in answer.get("x-error-codes", [])
    ]


def _swap(site_url: str) -> dict[str, Any]:
    return {
        "operationId": "swapFaces",
        "summary": "Swap a face",
        "description": "Puts the face of the source into the target. Without `callback_url` and "
        "`async` the answer comes when the picture is finished. A swap that fails is given back "
        "to your quota.",
        "parameters": [
            {
                "name": "Idempotency-Key",
                "in": "header",
                "description": "Any text of your own. The same key within 24 hours gives the same "
                "task, charged once; use a new one for each swap.",
                "schema": {"type": "string", "maxLength": 255, "pattern": "^[ -~]*$"},
            }
        ],
        "requestBody": _body("SwapCall", examples.request(site_url)),
        "responses": {
            "200": _answer(
                "The finished picture; or, of an asynchronous call, the task.",
                {"anyOf": [_ref("Swapped"), _ref("Accepted")]},
                {
                    "synchronous": examples.swapped(site_url),
                    "asynchronous": examples.accepted(),
                },
            ),
            **_errors(OF_SWAP),
        },
        "callbacks": {
            "result": {
                "{$request.body#/callback_url}": {
                    "post": {
                        "summary": "The result, when it is done",
                        "description": "Signed as the Standard Webhooks specification says: check "
                        "`webhook-signature` with the secret on your page of keys. Answer with any "
                        "2xx within 15 seconds. Anything else is repeated for more than 24 hours; "
                        "410 stops it.",
                        "requestBody": {
                            "required": True,
                            "content": {
                                "application/json": {
                                    "schema": {"anyOf": [_ref("Swapped"), _ref("Error")]}
                                }
                            },
                        },
                        "responses": {"2XX": {"description": "Taken."}},
                    }
                }
            }
        },
    }


def _tasks(site_url: str) -> dict[str, Any]:
    return {
        "operationId": "retrieveTasks",
        "summary": "Ask for tasks",
        "description": "How a swap stands, by its `task_id`. Swaps that you made in the browser "
        "are found as well.",
        "requestBody": _body("TaskCall", examples.retrieve()),
        "responses": {
            "200": _answer(
                "One task, or a list.",
                {"anyOf": [_ref("Task"), _ref("Tasks")]},
                {
                    "one that runs": examples.running_task(site_url),
                    "one that has ended": examples.task(site_url),
                    "several": examples.tasks(site_url),
                },
            ),
            **_errors(OF_TASKS),
        },
    }


def _responses_of_other_paths() -> dict[str, Any]:
    """What a client meets that calls what is no operation here, by a mistake or out of habit."""
    return {
        "NotOffered": _errors((errors.ApiNotImplemented,))["400"],
        "NoSuchCall": _errors((errors.NoApi,))["404"],
    }


def _schemas() -> dict[str, Any]:
    answers: tuple[type[BaseModel], ...] = (
        schemas.Accepted,
        schemas.Swapped,
        schemas.Error,
        schemas.Task,
        schemas.Tasks,
    )
    _, of_answers = models_json_schema(
        [(model, "serialization") for model in answers], ref_template=REF
    )
    of_calls = [
        schemas.SWAP_CALL.json_schema(ref_template=REF),
        schemas.TASK_CALL.json_schema(ref_template=REF),
    ]
    found: dict[str, Any] = dict(of_answers["$defs"])
    for name, schema in zip(("SwapCall", "TaskCall"), of_calls, strict=True):
        found |= schema.pop("$defs", {})
        found[name] = schema
    return {name: _tidy(found[name]) for name in sorted(found)}


def _tidy(schema: Any) -> Any:
    """Without what pydantic adds for itself: titles made of field names, empty defaults."""
    if isinstance(schema, list):
        return [_tidy(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: _tidy(part)
        for name, part in schema.items()
        if not (name == "title" and isinstance(part, str)) and not (name == "default" and not part)
    }


WITH_RETRY_AFTER = {errors.TooManyRequests.status, errors.ApiError.status}


def _headers() -> dict[str, Any]:
    number = {"type": "string", "pattern": "^[0-9]+$"}
    said = {
        "X-Trace-Id": ("Names this call in our log.", {"type": "string"}),
        "X-RateLimit-Limit": ("How many calls a minute you may make.", number),
        "X-RateLimit-Remaining": ("How many are left of this minute.", number),
        "X-RateLimit-Reset": ("When the next minute begins, in Unix time.", number),
        "X-Quota-Remaining": ("How many swaps you have left.", number),
        "Retry-After": (
            "With 429, and with 500 where it is known: how many seconds to wait.",
            number,
        ),
    }
    return {
        name: {"description": description, "schema": schema}
        for name, (description, schema) in said.items()
    }


def _body(model: str, example: dict[str, Any]) -> dict[str, Any]:
    content = {"schema": _ref(model), "example": example}
    return {"required": True, "content": {"application/json": content}}


def _answer(description: str, schema: dict[str, Any], shown: dict[str, Any]) -> dict[str, Any]:
    content = {
        "schema": schema,
        "examples": {name: {"value": value} for name, value in shown.items()},
    }
    names = [name for name in _headers() if name != "Retry-After"]
    return {
        "description": description,
        "headers": _header_refs(*names),
        "content": {"application/json": content},
    }


def _errors(classes: Iterable[type[errors.SwapError]]) -> dict[str, Any]:
    by_status: dict[int, list[type[errors.SwapError]]] = {}
    for error in MEANINGS:
        if error in classes:
            by_status.setdefault(error.status, []).append(error)
    return {
        str(status): {
            "description": HTTPStatus(status).phrase
            + "\n\n"
            + "\n".join(f"- `{error.code}`: {MEANINGS[error]}" for error in found),
            "x-error-codes": [error.code for error in found],
            "headers": _header_refs(
                "X-Trace-Id", *(["Retry-After"] if status in WITH_RETRY_AFTER else [])
            ),
            "content": {
                "application/json": {
                    "schema": _ref("Error"),
                    "examples": {
                        error.code: {"value": examples.error(error, MEANINGS[error])}
                        for error in found
                    },
                }
            },
        }
        for status, found in sorted(by_status.items())
    }


def _header_refs(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": REF.format(model=name)}
