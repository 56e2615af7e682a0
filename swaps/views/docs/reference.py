"""The API reference, generated from the OpenAPI document: operations, fields, responses, errors.

Nothing here knows a field or an error by name; what the document says is what the page says.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Any

from django.utils.safestring import SafeString

from swaps.api.description import examples, openapi
from swaps.api.description.error_meanings import MEANINGS
from swaps.views.docs.schema_text import (
    Schema,
    alternatives,
    limits_text,
    render_markdown,
    schema_name,
    type_text,
)


@dataclass(frozen=True, kw_only=True)
class Field:
    """A field of an object, or a header."""

    name: str
    type: SafeString
    is_required: bool
    description: SafeString
    limits: SafeString


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A JSON object of the API, with its fields and an example."""

    name: str
    description: SafeString
    fields: list[Field]
    example: str


@dataclass(frozen=True, kw_only=True)
class Callback:
    """The callback of all operations that have one: it is described once."""

    description: SafeString
    shapes: list[Shape]


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One operation of the API, ready for the template."""

    anchor: str
    verb: str
    path: str
    title: str
    description: SafeString
    headers: list[Field]
    bodies: list[Shape]
    answer: SafeString
    answers: list[Shape]
    answer_headers: list[Field]
    error_codes: list[str]
    example: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class ErrorMeaning:
    """An error code with its HTTP status and its meaning."""

    status: int
    phrase: str
    code: str
    meaning: SafeString


@dataclass(frozen=True, kw_only=True)
class Reference:
    """The whole reference, ready for the template."""

    title: str
    operations: list[Operation]
    callback: Callback
    error: Shape
    errors: list[ErrorMeaning]


@cache
def reference(site_url: str) -> Reference:
    """Build the reference from the OpenAPI document of this site; cached."""
    document = openapi.document(site_url)
    reader = _Reader(document, examples.by_schema(site_url))
    return Reference(
        title=document["info"]["title"],
        operations=list(reader.operations()),
        callback=reader.callback(),
        error=reader.shape("Error"),
        errors=[
            ErrorMeaning(
                status=error.status,
                phrase=HTTPStatus(error.status).phrase,
                code=error.code,
                meaning=render_markdown(meaning),
            )
            for error, meaning in MEANINGS.items()
        ],
    )


class _Reader:
    """Turns parts of an OpenAPI document into the objects that the template shows."""

    def __init__(self, document: dict[str, Any], shown: dict[str, Any]) -> None:
        self.document = document
        self.schemas: dict[str, Schema] = document["components"]["schemas"]
        self.examples = shown
        self.described = {"Error"}  # has a place of its own

    def operations(self) -> Iterator[Operation]:
        for path, verbs in self.document["paths"].items():
            for verb, operation in verbs.items():
                yield self._operation(path, verb, operation)

    def shape(self, name: str) -> Shape:
        schema = self.schemas[name]
        example = self.examples.get(name)
        return Shape(
            name=name,
            description=render_markdown(schema.get("description", "")),
            fields=list(self._fields(schema)),
            example=json.dumps(example, indent=2, ensure_ascii=False) if example else "",
        )

    def _operation(self, path: str, verb: str, operation: dict[str, Any]) -> Operation:
        answer = operation["responses"]["200"]
        body = operation["requestBody"]["content"]["application/json"]
        return Operation(
            anchor=path.rpartition("/")[2],
            verb=verb.upper(),
            path=path,
            title=operation["summary"],
            description=render_markdown(operation["description"]),
            headers=[_parameter(each) for each in operation.get("parameters", [])],
            bodies=self._new_shapes(body["schema"]),
            answer=render_markdown(answer["description"]),
            answers=self._new_shapes(_schema_of(answer)),
            answer_headers=[
                self._header(name)
                for name in dict.fromkeys(
                    name for each in operation["responses"].values() for name in each["headers"]
                )
            ],
            error_codes=openapi.error_codes(operation),
            example=next(iter(body["examples"].values()))["value"],
        )

    def callback(self) -> Callback:
        posts = [
            verbs["post"]
            for operation in self.document["paths"].values()
            for urls in operation["post"].get("callbacks", {}).values()
            for verbs in urls.values()
        ]
        names = (name for post in posts for name in self._names(_schema_of(post["requestBody"])))
        return Callback(
            description=render_markdown(posts[0]["description"]),
            shapes=[self.shape(name) for name in dict.fromkeys(names)],
        )

    def _header(self, name: str) -> Field:
        return _parameter({"name": name, **self.document["components"]["headers"][name]})

    def _new_shapes(self, schema: Schema) -> list[Shape]:
        """Return the objects that a schema allows and those within them, each where it is new."""
        found = list(self._names(schema))
        for name in found:  # which grows meanwhile
            found += [each for each in self._names_within(name) if each not in found]
        new = [name for name in dict.fromkeys(found) if name not in self.described]
        self.described.update(new)
        return [self.shape(name) for name in new]

    def _names_within(self, name: str) -> Iterator[str]:
        """Yield the objects to which fields of another one link; see ``_fields``."""
        for schema in self.schemas[name]["properties"].values():
            for part in alternatives(schema) if "$ref" not in schema else []:
                for each in alternatives(part.get("items", part)):
                    if "$ref" in each:
                        yield schema_name(each)

    def _names(self, schema: Schema) -> Iterator[str]:
        for part in schema.get("anyOf") or schema.get("oneOf") or [schema]:
            name = schema_name(part)
            target = self.schemas[name]
            if "properties" in target:
                yield name
            else:
                yield from self._names(target)

    def _fields(self, schema: Schema, prefix: str = "") -> Iterator[Field]:
        for name, found in schema["properties"].items():
            yield _field(f"{prefix}{name}", found, is_required=name in schema.get("required", []))
            if "$ref" in found:  # a field with fields of its own: error.code
                yield from self._fields(self.schemas[schema_name(found)], f"{prefix}{name}.")


def _field(
    name: str, schema: Schema, *, is_required: bool, description: str | None = None
) -> Field:
    return Field(
        name=name,
        type=type_text(schema) if "$ref" not in schema else render_markdown("object"),
        is_required=is_required,
        description=render_markdown(description or schema.get("description", "")),
        limits=limits_text(schema),
    )


def _parameter(parameter: dict[str, Any]) -> Field:
    return _field(
        parameter["name"],
        parameter["schema"],
        is_required=parameter.get("required", False),
        description=parameter["description"],
    )


def _schema_of(message: dict[str, Any]) -> Schema:
    schema: Schema = message["content"]["application/json"]["schema"]
    return schema
