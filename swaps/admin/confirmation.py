"""Asks before an action of the admin that takes something away, and says what goes.

The question is a page with a form, which sends the action once more with a word of confirmation.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

MAX_ROWS = 100  # at once: each of them costs time within the request
MAX_NAMED = 20
CONFIRMED = "confirmed"


@dataclass(frozen=True, kw_only=True)
class Question:
    title: str
    consequences: Sequence[str]
    verb: str


def is_confirmed(request: HttpRequest) -> bool:
    return request.POST.get(CONFIRMED) == "yes"


def chosen_rows(
    model_admin: ModelAdmin[Any], request: HttpRequest, rows: QuerySet[Any]
) -> list[Any]:
    """The chosen rows; none, and a message, where they are too many for one request."""
    chosen = list(rows[: MAX_ROWS + 1])
    if len(chosen) <= MAX_ROWS:
        return chosen
    model_admin.message_user(request, f"At most {MAX_ROWS} at once.", messages.ERROR)
    return []


def ask(
    model_admin: ModelAdmin[Any],
    request: HttpRequest,
    action: str,
    rows: Sequence[Model],
    question: Question,
    *,
    describe: Callable[[Any], str] = str,
) -> HttpResponse:
    """``describe`` says, in text or HTML, which row is meant."""
    context = {
        **model_admin.admin_site.each_context(request),
        "title": question.title,
        "question": question,
        "opts": model_admin.opts,
        "media": model_admin.media,
        "action": action,
        "checkbox_name": ACTION_CHECKBOX_NAME,
        "rows": rows,
        "named": [describe(row) for row in rows[:MAX_NAMED]],
        "unnamed": max(0, len(rows) - MAX_NAMED),
    }
    return TemplateResponse(request, "admin/confirm_action.html", context)


def counted(number: int, noun: str) -> str:
    """``1 swap``, ``2 swaps``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
