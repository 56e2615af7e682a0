"""The confirmation page before an admin action that takes something away.

It is a form that sends the action once more, with a field that confirms it.
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
    """The question of the page: a title, what will happen, and the text of the button."""

    title: str
    consequences: Sequence[str]
    verb: str


def is_confirmed(request: HttpRequest) -> bool:
    """Return True when the request comes from the confirmation page."""
    return request.POST.get(CONFIRMED) == "yes"


def chosen_rows(
    model_admin: ModelAdmin[Any], request: HttpRequest, rows: QuerySet[Any]
) -> list[Any]:
    """Return the chosen rows; none, with a message to the user, when there are too many."""
    chosen = list(rows[: MAX_ROWS + 1])
    if len(chosen) <= MAX_ROWS:
        return chosen
    model_admin.message_user(request, f"At most {MAX_ROWS} at once.", messages.ERROR)
    return []


def confirmation_page(
    model_admin: ModelAdmin[Any],
    request: HttpRequest,
    action: str,
    rows: Sequence[Model],
    question: Question,
    *,
    describe: Callable[[Any], str] = str,
) -> HttpResponse:
    """Render the confirmation page. ``describe`` returns a row as text or HTML."""
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


def count_noun(number: int, noun: str) -> str:
    """Return a number with its noun, like ``1 swap`` or ``2 swaps``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
