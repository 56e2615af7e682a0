"""The OpenAPI 3.1 document of the API. The documentation page is generated from it."""

from functools import cache
from typing import Any

from swaps import errors
from swaps.api.description import examples
from swaps.api.description.components import (
    error_responses,
    header_components,
    ref,
    request_body,
    response,
    schema_components,
)
from swaps.api.description.error_meanings import OF_DETECT, OF_SWAP, OF_TASKS

VERSION = "1.0"
# What the reference provider's family has besides.
NOT_OFFERED = ("analyze", "beautify", "change-age", "change-gender", "cartoon", "detect-live")


@cache
def document(site_url: str) -> dict[str, Any]:
    """Return the OpenAPI document for a site; cached."""
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
            "/face/detect": {"post": _detect(site_url)},
            "/face/tasks": {"post": _tasks(site_url)},
        },
        "components": {
            "schemas": schema_components(),
            "responses": _responses_of_other_paths(),
            "headers": header_components(),
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
    """Return the error codes that an operation of the document may respond with."""
    return [
        code
        for response in operation["responses"].values()
        for code in response.get("x-error-codes", [])
    ]


def _swap(site_url: str) -> dict[str, Any]:
    return {
        "operationId": "swapFaces",
        "summary": "Swap a face",
        "description": "Puts the face of the source into the target. Without `callback_url` and "
        "`async` the answer comes when the picture is finished. A swap that fails is given back "
        "to your quota. Where a picture shows several faces the largest is meant, unless a point "
        "on another one is sent; `/face/detect` says where they are.",
        "parameters": [
            {
                "name": "Idempotency-Key",
                "in": "header",
                "description": "Any text of your own. The same key within 24 hours gives the same "
                "task, charged once; use a new one for each swap.",
                "schema": {"type": "string", "maxLength": 255, "pattern": "^[ -~]*$"},
            }
        ],
        "requestBody": request_body(
            "SwapCall",
            {
                "the largest faces": examples.request(site_url),
                "one of several faces": examples.request(site_url)
                | {"target_face": {"x": 0.3, "y": 0.42}},
                "several sources": examples.request_of_pairs(site_url),
            },
        ),
        "responses": {
            "200": response(
                "The finished picture; or, of an asynchronous call, the task.",
                {"anyOf": [ref("Swapped"), ref("Accepted")]},
                {
                    "synchronous": examples.swapped(site_url),
                    "asynchronous": examples.accepted(),
                },
            ),
            **error_responses(OF_SWAP),
        },
        "callbacks": _callbacks("Swapped"),
    }


def _detect(site_url: str) -> dict[str, Any]:
    return {
        "operationId": "detectFaces",
        "summary": "Find the faces",
        "description": "Says where the faces of a picture are, so that one can be chosen for a "
        "swap, and what may spoil a swap with each. Free: only the calls are counted, so there is "
        "no `Idempotency-Key`. The picture is deleted as soon as it has been looked at; the task "
        "can be asked for during two days. It takes a key that may request swaps.",
        "requestBody": request_body("DetectCall", {"a picture": examples.detect_request(site_url)}),
        "responses": {
            "200": response(
                "The faces, largest first; or, of an asynchronous call, the task.",
                {"anyOf": [ref("Detected"), ref("Accepted")]},
                {"synchronous": examples.detected(), "asynchronous": examples.accepted()},
            ),
            **error_responses(OF_DETECT),
        },
        "callbacks": _callbacks("Detected"),
    }


def _callbacks(result: str) -> dict[str, Any]:
    """Return the callback of an operation, whose result has this schema."""
    posted = {"application/json": {"schema": {"anyOf": [ref(result), ref("Error")]}}}
    return {
        "result": {
            "{$request.body#/callback_url}": {
                "post": {
                    "summary": "The result, when it is done",
                    "description": "Signed as the Standard Webhooks specification says: check "
                    "`webhook-signature` with the secret on your page of keys. Answer with any "
                    "2xx within 15 seconds. Anything else is repeated for more than 24 hours; "
                    "410 stops it.",
                    "requestBody": {"required": True, "content": posted},
                    "responses": {"2XX": {"description": "Taken."}},
                }
            }
        }
    }


def _tasks(site_url: str) -> dict[str, Any]:
    return {
        "operationId": "retrieveTasks",
        "summary": "Ask for tasks",
        "description": "How a swap or a detection stands, by its `task_id`. Swaps that you made in "
        "the browser are found as well.",
        "requestBody": request_body(
            "TaskCall",
            {"one task": examples.retrieve(), "several": examples.retrieve_batch()},
        ),
        "responses": {
            "200": response(
                "One task, or a list.",
                {"anyOf": [ref("Task"), ref("Tasks")]},
                {
                    "one that runs": examples.running_task(site_url),
                    "one that has ended": examples.task(site_url),
                    "several": examples.tasks(site_url),
                },
            ),
            **error_responses(OF_TASKS),
        },
    }


def _responses_of_other_paths() -> dict[str, Any]:
    """Return the responses to calls that are no operation here, made by mistake or out of habit."""
    return {
        "NotOffered": error_responses((errors.ApiNotImplemented,))["400"],
        "NoSuchCall": error_responses((errors.NoApi,))["404"],
    }
