"""Types and limits of an OpenAPI document, as a person says them; and its two kinds of Markdown."""

import json
import re
from collections.abc import Iterable
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

MARKED = re.compile(r"(`[^`]+`|\*\*[^*]+\*\*)")
FORMATS = {"uri": "URL", "uuid": "UUID"}
LIMITS = {
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "exclusiveMinimum": "more than {}",
    "minimum": "at least {}",
    "maximum": "at most {}",
    "maxItems": "at most {} of them",
    "pattern": "matches `{}`",
    "default": "`{}` unless told",
}
PLAIN_LIMITS = {
    ("minLength", 1): "not empty",
    ("pattern", "^[0-9]+$"): "digits",
    ("pattern", "^[ -~]*$"): "printable ASCII",
}

Schema = dict[str, Any]


def prose(text: str) -> SafeString:
    """Only `code` and **bold** are marks; all else is text, and escaped."""
    return _joined("", (_marked(part) for part in MARKED.split(text)))


def words_of(schema: Schema) -> SafeString:
    """The type; one that the page describes is a link to there."""
    parts = parts_of(schema)
    if len(parts) > 1 or "anyOf" in schema:
        return _with_format(_joined(" or ", map(words_of, parts)), schema)
    if "$ref" in schema:
        return format_html('<a href="#{0}"><code>{0}</code></a>', name_in(schema))
    if "const" in schema:
        return format_html("always <code>{}</code>", json.dumps(schema["const"]))
    if "enum" in schema:
        return format_html("one of {}", prose(", ".join(f"`{each}`" for each in schema["enum"])))
    if schema["type"] == "array":
        return format_html("list of {}", words_of(schema["items"]))
    return _with_format(format_html("{}", schema["type"]), schema)


def limits_of(schema: Schema) -> SafeString:
    found = [
        PLAIN_LIMITS.get((name, part[name])) or words.format(part[name])
        for part in parts_of(schema)
        for name, words in LIMITS.items()
        if name in part
    ]
    return prose(", ".join(found))


def parts_of(schema: Schema) -> list[Schema]:
    """What it may be; that it may be null is no news: so is every field that is left out."""
    parts = schema.get("anyOf", [schema])
    return [part for part in parts if part.get("type") != "null"]


def name_in(reference: Schema) -> str:
    return str(reference["$ref"]).rpartition("/")[2]


def _marked(part: str) -> str:
    if not MARKED.fullmatch(part):
        return part
    if part.startswith("`"):
        return format_html("<code>{}</code>", part[1:-1])
    return format_html("<strong>{}</strong>", part[2:-2])


def _with_format(words: SafeString, schema: Schema) -> SafeString:
    kind = FORMATS.get(schema.get("format", ""))
    return format_html("{}, {}", words, kind) if kind else words


def _joined(between: str, parts: Iterable[str]) -> SafeString:
    return format_html_join(between, "{}", ((part,) for part in parts))
