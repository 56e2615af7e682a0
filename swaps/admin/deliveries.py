"""Deliveries in the admin: shown with their attempts, and sent once more."""

import contextlib
import uuid
from typing import Any
from urllib.parse import urlsplit

from django.contrib import admin
from django.db.models import QuerySet
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest

from swaps.admin.base import ReadOnlyAdmin
from swaps.admin.confirmation import chosen_rows
from swaps.deliveries import deliver
from swaps.models import Delivery, DeliveryAttempt
from swaps.models.delivery import MAX_ATTEMPTS

SHOWN_PATH = 12  # characters


class NewestAttempts(BaseInlineFormSet[DeliveryAttempt, Delivery, Any]):
    """The newest attempts of a delivery."""

    def get_queryset(self) -> Any:
        return super().get_queryset()[:MAX_ATTEMPTS]


class AttemptInline(admin.TabularInline[DeliveryAttempt, Delivery]):
    """The attempts of a delivery, shown on its page."""

    model = DeliveryAttempt
    formset = NewestAttempts
    template = "admin/swaps/delivery/attempts.html"
    fields = readonly_fields = ("started_at", "took", "status", "reason", "response_excerpt")
    ordering = ("-started_at", "-pk")
    extra = 0
    can_delete = False
    verbose_name_plural = f"attempts (the newest {MAX_ATTEMPTS})"

    @admin.display(description="error")
    def reason(self, attempt: DeliveryAttempt) -> str:
        return attempt.error_text

    @admin.display(description="took")
    def took(self, attempt: DeliveryAttempt) -> str:
        return f"{attempt.seconds:.2f} s"

    def has_add_permission(self, request: HttpRequest, obj: Delivery | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Delivery | None = None) -> bool:
        return False


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """Deliveries of callbacks, which staff can send once more."""

    list_display = (
        *("host", "status", "attempts_made", "last_status", "owner"),
        *("created_at", "next_attempt_at"),
    )
    list_filter = ("status", "created_at")
    list_select_related = ("owner",)
    search_fields = ("=id", "=swap__id", "=detection__id", "owner__email")
    search_help_text = "The id of a message or of a task, or a part of an e-mail address."
    actions = ("replay",)
    inlines = (AttemptInline,)
    fields = (
        ("message_id", "owner", "task"),
        "address",
        ("status", "attempts_made", "failures"),
        ("last_status", "last_error"),
        ("created_at", "next_attempt_at", "delivered_at"),
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Delivery], search_term: str
    ) -> tuple[QuerySet[Delivery], bool]:
        """Search by id. A ``webhook-id`` is the id with a prefix, and without hyphens."""
        term = search_term.strip().removeprefix("msg_")
        with contextlib.suppress(ValueError):
            term = str(uuid.UUID(term))
        return super().get_search_results(request, queryset, term)

    @admin.display(description="last error")
    def last_error(self, delivery: Delivery) -> str:
        return delivery.error_text

    @admin.display(description="host")
    def host(self, delivery: Delivery) -> str:
        return _split_url(delivery.url)[0]

    @admin.display(description="address")
    def address(self, delivery: Delivery) -> str:
        """Return the host and the beginning of the path: receivers keep secrets in the rest."""
        host, path = _split_url(delivery.url)
        return f"{host}{path[:SHOWN_PATH]}…" if len(path) > SHOWN_PATH else host + path

    @admin.action(description="Replay: send once more, now", permissions=["change"])
    def replay(self, request: HttpRequest, rows: QuerySet[Delivery]) -> None:
        chosen: list[Delivery] = chosen_rows(self, request, rows)
        self.note(request, [each for each in chosen if deliver.replay(each)], "note.replayed")


def _split_url(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
        return parts.netloc.rpartition("@")[2], parts.path
    except ValueError:
        return "", ""
