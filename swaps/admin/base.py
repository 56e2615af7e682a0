"""What the admin pages of facts have in common: looked at, acted upon, never edited."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import Model
from django.http import HttpRequest


class FactsAdmin(admin.ModelAdmin[Any]):
    """Rows that staff see and act upon, and nobody edits."""

    list_per_page = 50
    show_full_result_count = False
    ordering: ClassVar[tuple[str, ...]] = ("-created_at", "-pk")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Asked for one row: nobody edits facts. Asked for the list: who may run the actions."""
        return obj is None and super().has_change_permission(request)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        rows: Iterable[Any] = self.fields or ()
        return [name for row in rows for name in ([row] if isinstance(row, str) else row)]

    def note(self, request: HttpRequest, rows: Iterable[Model], word: str) -> None:
        """In the log of each row, and on the page."""
        changed = list(rows)
        for row in changed:
            self.log_change(request, row, word)
        self.message_user(request, f"{len(changed)}: {word}", messages.SUCCESS)
