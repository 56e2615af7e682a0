"""Keys and deliveries in the admin: looked at, stopped, sent once more; never edited."""

import contextlib
import uuid
from collections.abc import Iterable
from typing import Any, ClassVar
from urllib.parse import urlsplit

from django.contrib import admin, messages
from django.db.models import Model, QuerySet, Sum
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from swaps import access, deliveries
from swaps.admin.confirmation import Question, ask, chosen_rows, counted, is_confirmed
from swaps.admin.staff_accounts import keep_manageable
from swaps.models import ApiKey, Delivery, DeliveryAttempt
from swaps.models.api_key import PREFIX_LENGTH
from swaps.models.delivery import MOST_ATTEMPTS

SHOWN_PATH = 12  # characters


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


@admin.register(ApiKey)
class ApiKeyAdmin(FactsAdmin):
    list_display = ("__str__", "state", "user", "last_used_at", "scope", "created_at", "expires_at")
    list_filter = ("is_disabled", "scope", "created_at", "last_used_at")
    list_select_related = ("user",)
    search_fields = ("prefix__startswith", "user__email")
    search_help_text = "The beginning of a key, or a part of an e-mail address."
    actions = ("disable", "enable", "revoke")
    fields = (
        ("name", "user"),
        ("prefix", "scope"),
        ("state", "is_disabled"),
        ("created_at", "expires_at", "revoked_at"),
        ("last_used_at", "uses"),
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ApiKey], search_term: str
    ) -> tuple[QuerySet[ApiKey], bool]:
        """A whole key that somebody pasted is found by its beginning, and goes no further."""
        term = search_term.strip()
        if term.startswith("fs_"):
            term = term[:PREFIX_LENGTH]
        return super().get_search_results(request, queryset, term)

    @admin.display(description="state")
    def state(self, key: ApiKey) -> str:
        return access.state_of(key, timezone.now())

    @admin.display(description="uses in all")
    def uses(self, key: ApiKey) -> int:
        return key.uses.aggregate(sum=Sum("count"))["sum"] or 0

    @admin.action(description="Disable (calls are refused until enabled)", permissions=["change"])
    def disable(self, request: HttpRequest, keys: QuerySet[ApiKey]) -> HttpResponse | None:
        return self._mark(request, keys, is_disabled=True)

    @admin.action(description="Enable", permissions=["change"])
    def enable(self, request: HttpRequest, keys: QuerySet[ApiKey]) -> HttpResponse | None:
        return self._mark(request, keys, is_disabled=False)

    @admin.action(description="Revoke for good", permissions=["change"])
    def revoke(self, request: HttpRequest, keys: QuerySet[ApiKey]) -> HttpResponse | None:
        live = keep_manageable(self, request, keys.filter(revoked_at=None), "user")
        chosen: list[ApiKey] = chosen_rows(self, request, live)
        if chosen and not is_confirmed(request):
            return ask(self, request, "revoke", chosen, _end_of(chosen, "Revoke", FOR_GOOD))
        now = timezone.now()
        self.note(request, [key for key in chosen if key.revoke(now)], "Revoked.")
        return None

    def _mark(
        self, request: HttpRequest, keys: QuerySet[ApiKey], *, is_disabled: bool
    ) -> HttpResponse | None:
        others = keep_manageable(self, request, keys.exclude(is_disabled=is_disabled), "user")
        chosen: list[ApiKey] = chosen_rows(self, request, others)
        if is_disabled and chosen and not is_confirmed(request):
            return ask(self, request, "disable", chosen, _end_of(chosen, "Disable", FOR_NOW))
        ApiKey.objects.filter(pk__in=[key.pk for key in chosen]).update(is_disabled=is_disabled)
        self.note(request, chosen, "Disabled." if is_disabled else "Enabled.")
        return None


FOR_GOOD = "This cannot be undone: their owners have to make new keys."
FOR_NOW = "They can be enabled again."


def _end_of(keys: list[ApiKey], verb: str, how_long: str) -> Question:
    owners = len({key.user_id for key in keys})
    refused = f"Calls with {counted(len(keys), 'key')} of {counted(owners, 'account')}"
    return Question(
        title=f"{verb} {counted(len(keys), 'key')}?",
        consequences=[f"{refused} will be refused, from now on.", how_long],
        verb=f"Yes, {verb.lower()}",
    )


class NewestAttempts(BaseInlineFormSet[DeliveryAttempt, Delivery, Any]):
    def get_queryset(self) -> Any:
        return super().get_queryset()[:MOST_ATTEMPTS]


class AttemptInline(admin.TabularInline[DeliveryAttempt, Delivery]):
    model = DeliveryAttempt
    formset = NewestAttempts
    template = "admin/swaps/delivery/attempts.html"
    fields = readonly_fields = ("started_at", "took", "status", "error", "response_excerpt")
    ordering = ("-started_at", "-pk")
    extra = 0
    can_delete = False
    verbose_name_plural = f"attempts (the newest {MOST_ATTEMPTS})"

    @admin.display(description="took")
    def took(self, attempt: DeliveryAttempt) -> str:
        return f"{attempt.seconds:.2f} s"

    def has_add_permission(self, request: HttpRequest, obj: Delivery | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Delivery | None = None) -> bool:
        return False


@admin.register(Delivery)
class DeliveryAdmin(FactsAdmin):
    list_display = (
        *("host", "status", "attempts_made", "last_status", "owner"),
        *("created_at", "next_attempt_at"),
    )
    list_filter = ("status", "created_at")
    list_select_related = ("owner",)
    search_fields = ("=id", "=swap__id", "owner__email")
    search_help_text = "The id of a message or of a swap, or a part of an e-mail address."
    actions = ("replay",)
    inlines = (AttemptInline,)
    fields = (
        ("message_id", "owner", "swap"),
        "address",
        ("status", "attempts_made", "failures"),
        ("last_status", "last_error"),
        ("created_at", "next_attempt_at", "delivered_at"),
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Delivery], search_term: str
    ) -> tuple[QuerySet[Delivery], bool]:
        """A ``webhook-id`` is the id with a word before it, and without hyphens."""
        term = search_term.strip().removeprefix("msg_")
        with contextlib.suppress(ValueError):
            term = str(uuid.UUID(term))
        return super().get_search_results(request, queryset, term)

    @admin.display(description="host")
    def host(self, delivery: Delivery) -> str:
        return _split(delivery.url)[0]

    @admin.display(description="address")
    def address(self, delivery: Delivery) -> str:
        """The host and how its path begins: receivers keep secrets of theirs in the rest."""
        host, path = _split(delivery.url)
        return f"{host}{path[:SHOWN_PATH]}…" if len(path) > SHOWN_PATH else host + path

    @admin.action(description="Replay: send once more, now", permissions=["change"])
    def replay(self, request: HttpRequest, rows: QuerySet[Delivery]) -> None:
        chosen: list[Delivery] = chosen_rows(self, request, rows)
        self.note(request, [each for each in chosen if deliveries.replay(each)], "Replayed.")


def _split(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
        return parts.netloc.rpartition("@")[2], parts.path
    except ValueError:
        return "", ""
