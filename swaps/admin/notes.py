"""Notes of staff's actions: stored as codes in a row's history, shown as text."""

import json
from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from swaps.messages import text


class NotedAdmin(admin.ModelAdmin[Any]):
    """An admin whose actions leave notes in the history of the rows."""

    def note(self, request: HttpRequest, rows: Iterable[Model], code: str) -> None:
        """Keep a note in each row's history, and tell the user how many rows were changed."""
        noted = list(rows)
        self.log_notes(request, noted, code)
        changed = f"{len(noted)}: {text({'code': code})}"
        self.message_user(request, changed, messages.SUCCESS)

    def log_notes(self, request: HttpRequest, rows: Iterable[Model], code: str) -> None:
        """Keep a note in each row's history."""
        for row in rows:
            self.log_change(request, row, json.dumps({"code": code}))

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        response = super().history_view(request, object_id, extra_context)
        if isinstance(response, TemplateResponse) and response.context_data:
            page = response.context_data["action_list"]
            page.object_list = [write_out(entry) for entry in page.object_list]
        return response


def write_out(entry: LogEntry) -> LogEntry:
    """Put words in the place of a note's code. Those of earlier versions are words already."""
    if entry.change_message.startswith('{"code"'):
        entry.change_message = text(json.loads(entry.change_message))
    return entry
