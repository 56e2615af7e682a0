"""Builds parts of the OpenAPI document: schemas, headers, bodies, responses, errors."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from swaps import errors
from swaps.api import schemas
from swaps.api.description import answers, examples
from swaps.api.description.error_meanings import MEANINGS

REF = "#/components/schemas/{model}"
WITH_RETRY_AFTER = {errors.TooManyRequests.status, errors.ApiError.status}


def schema_components() -> dict[str, Any]:
    """Return the JSON schemas of all bodies, by name."""
    models: tuple[type[BaseModel], ...] = (
        answers.Accepted,
        answers.Swapped,
        answers.Detected,
        answers.Error,
        answers.Task,
        answers.Tasks,
    )
    _, of_answers = models_json_schema(
        [(model, "serialization") for model in models], ref_template=REF
    )
    of_calls = [
        schemas.SWAP_CALL.json_schema(ref_template=REF),
        schemas.DETECT_CALL.json_schema(ref_template=REF),
        schemas.TASK_CALL.json_schema(ref_template=REF),
    ]
    found: dict[str, Any] = dict(of_answers["$defs"])
    for name, schema in zip(("SwapCall", "DetectCall", "TaskCall"), of_calls, strict=True):
        found |= schema.pop("$defs", {})
        found[name] = schema
    return {name: _remove_pydantic_defaults(found[name]) for name in sorted(found)}


def _remove_pydantic_defaults(schema: Any) -> Any:
    """Remove what pydantic adds: titles made of field names, empty defaults."""
    if isinstance(schema, list):
        return [_remove_pydantic_defaults(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: _remove_pydantic_defaults(part)
        for name, part in schema.items()
        if not (name == "title" and isinstance(part, str)) and not (name == "default" and not part)
    }


def header_components() -> dict[str, Any]:
    number = {"type": "string", "pattern": "^[0-9]+$"}
    headers = {
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
        for name, (description, schema) in headers.items()
    }


def request_body(model: str, shown: dict[str, Any]) -> dict[str, Any]:
    content = {
        "schema": ref(model),
        "examples": {name: {"value": value} for name, value in shown.items()},
    }
    return {"required": True, "content": {"application/json": content}}


def response(description: str, schema: dict[str, Any], shown: dict[str, Any]) -> dict[str, Any]:
    content = {
        "schema": schema,
        "examples": {name: {"value": value} for name, value in shown.items()},
    }
    names = [name for name in header_components() if name != "Retry-After"]
    return {
        "description": description,
        "headers": _header_refs(*names),
        "content": {"application/json": content},
    }


def error_responses(classes: Iterable[type[errors.SwapError]]) -> dict[str, Any]:
    """Return the error responses by status, each with its codes and their meanings."""
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
                    "schema": ref("Error"),
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


def ref(name: str) -> dict[str, str]:
    return {"$ref": REF.format(model=name)}
