"""Turns OpenAPI schemas into text: types, limits, and the little Markdown of descriptions."""

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
    "minItems": "at least {} of them",
    "maxItems": "at most {} of them",
    "pattern": "matches `{}`",
    "default": "`{}` unless told",
}
PLAIN_LIMITS = {
    ("minLength", 1): "not empty",
    ("minItems", 1): "not empty",
    ("pattern", "^[0-9]+$"): "digits",
    ("pattern", "^[ -~]*$"): "printable ASCII",
}

Schema = dict[str, Any]


def render_markdown(text: str) -> SafeString:
    """Render `code` and **bold** as HTML; everything else is text, and escaped."""
    return _join("", (_render_part(part) for part in MARKED.split(text)))


def type_text(schema: Schema) -> SafeString:
    """Return the type of a schema as text; a type that the page describes is a link to there."""
    parts = alternatives(schema)
    if len(parts) > 1 or "anyOf" in schema:
        return _with_format(_join(" or ", map(type_text, parts)), schema)
    if "$ref" in schema:
        return format_html('<a href="#{0}"><code>{0}</code></a>', schema_name(schema))
    if "const" in schema:
        return format_html("always <code>{}</code>", json.dumps(schema["const"]))
    if "enum" in schema:
        return format_html(
            "one of {}", render_markdown(", ".join(f"`{each}`" for each in schema["enum"]))
        )
    if schema["type"] == "array":
        return format_html("list of {}", type_text(schema["items"]))
    return _with_format(format_html("{}", schema["type"]), schema)


def limits_text(schema: Schema) -> SafeString:
    """Return the limits of a schema as text, like “at most 255 characters”."""
    found = [
        PLAIN_LIMITS.get((name, part[name])) or words.format(part[name])
        for part in alternatives(schema)
        for name, words in LIMITS.items()
        if name in part
    ]
    return render_markdown(", ".join(found))


def alternatives(schema: Schema) -> list[Schema]:
    """Return the alternatives of a schema except null, which every optional field allows."""
    parts = schema.get("anyOf", [schema])
    return [part for part in parts if part.get("type") != "null"]


def schema_name(reference: Schema) -> str:
    """Return the schema's name in a ``$ref``."""
    return str(reference["$ref"]).rpartition("/")[2]


def _render_part(part: str) -> str:
    if not MARKED.fullmatch(part):
        return part
    if part.startswith("`"):
        return format_html("<code>{}</code>", part[1:-1])
    return format_html("<strong>{}</strong>", part[2:-2])


def _with_format(words: SafeString, schema: Schema) -> SafeString:
    kind = FORMATS.get(schema.get("format", ""))
    return format_html("{}, {}", words, kind) if kind else words


def _join(between: str, parts: Iterable[str]) -> SafeString:
    return format_html_join(between, "{}", ((part,) for part in parts))
