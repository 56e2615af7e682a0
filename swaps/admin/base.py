"""The base of admin pages for rows that staff see and act upon, but never edit."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django.db.models import Model
from django.http import HttpRequest

from swaps.admin.notes import NotedAdmin


class ReadOnlyAdmin(NotedAdmin):
    """Shows rows and offers actions upon them; nobody adds, edits or deletes a row here."""

    list_per_page = 50
    show_full_result_count = False
    ordering: ClassVar[tuple[str, ...]] = ("-created_at", "-pk")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Return False for a single row; for the list, whether the user may run the actions."""
        return obj is None and super().has_change_permission(request)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        rows: Iterable[Any] = self.fields or ()
        return [name for row in rows for name in ([row] if isinstance(row, str) else row)]
