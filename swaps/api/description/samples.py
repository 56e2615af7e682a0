"""Code samples: programs that make an API call in six languages, complete and safe to copy.

Each language has a template in ``templates/api/samples/``, which writes the parts of the call with
the filters of ``literals``; no program is put together in here.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.template.loader import render_to_string

from swaps.api.description.literals import escape_utf16
from swaps.api.schemas import DEFAULT_TIMEOUT

PLACEHOLDER = "fs_..."  # plain ASCII: a program that is run as it stands is told what is wrong
MARGIN_SECONDS = 10  # the server answers before a client gives up
QUICK_SECONDS = 30
# Name of the template, name of the language, and how the program is run.
LANGUAGES = (
    ("curl", "cURL", "Paste it into a shell"),
    ("python", "Python", "pip install requests"),
    ("javascript", "JavaScript", "node swap.mjs"),
    ("java", "Java", "java FaceSwap.java"),
    ("go", "Go", "go run swap.go"),
    ("php", "PHP", "php swap.php"),
)


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A program in one language, and how it is run."""

    id: str
    language: str
    run: str
    code: str


def samples(
    base_url: str, path: str, body: Mapping[str, Any], key: str, *, idempotency_key: str = ""
) -> list[Sample]:
    """Return a call in each language. Its ``body`` holds no null."""
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    if idempotency_key:
        headers["idempotency-key"] = idempotency_key
    context = {
        "url": f"{base_url}{path}",
        "headers": list(headers.items()),
        "body": list(body.items()),
        "json": json_text(body),
        "seconds": f"{_timeout_seconds(body):g}",
    }
    return [
        Sample(id=name, language=language, run=run, code=_render(name, context))
        for name, language, run in LANGUAGES
    ]


def json_text(body: Mapping[str, Any]) -> str:
    """Return indented JSON, for reading; invisible characters are escaped."""
    text = json.dumps(body, indent=2, ensure_ascii=False)
    return "".join(c if c.isprintable() or c == "\n" else escape_utf16(c) for c in text)


def _render(name: str, context: dict[str, Any]) -> str:
    """Render a template as a plain string: Django's own result would count as safe HTML."""
    return render_to_string(f"api/samples/{name}.txt", context).removesuffix("\n")


def _timeout_seconds(body: Mapping[str, Any]) -> float:
    """Return the client's timeout in seconds, a little longer than the server may take."""
    if any(body.get(name) for name in ("callback_url", "async", "action")):
        return QUICK_SECONDS
    return float(body.get("timeout", DEFAULT_TIMEOUT)) + MARGIN_SECONDS
