"""API keys in the admin: shown, disabled, enabled, revoked."""

from django.contrib import admin
from django.db.models import QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from swaps.accounts import api_keys
from swaps.admin.base import ReadOnlyAdmin
from swaps.admin.confirmation import (
    Question,
    chosen_rows,
    confirmation_page,
    count_noun,
    is_confirmed,
)
from swaps.admin.staff_accounts import filter_manageable
from swaps.models import ApiKey
from swaps.models.api_key import PREFIX_LENGTH


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    """API keys, which staff disable, enable and revoke."""

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
        """Search by the beginning of a key; no more than that is used of a whole key."""
        term = search_term.strip()
        if term.startswith("fs_"):
            term = term[:PREFIX_LENGTH]
        return super().get_search_results(request, queryset, term)

    @admin.display(description="state")
    def state(self, key: ApiKey) -> str:
        return api_keys.key_state(key, timezone.now())

    @admin.display(description="uses in all")
    def uses(self, key: ApiKey) -> int:
        return key.uses.aggregate(sum=Sum("count"))["sum"] or 0

    @admin.action(description="Disable (calls are refused until enabled)", permissions=["change"])
    def disable(self, request: HttpRequest, keys: QuerySet[ApiKey]) -> HttpResponse | None:
        return self._set_disabled(request, keys, is_disabled=True)

    @admin.action(description="Enable", permissions=["change"])
    def enable(self, request: HttpRequest, keys: QuerySet[ApiKey]) -> HttpResponse | None:
        return self._set_disabled(request, keys, is_disabled=False)

    @admin.action(description="Revoke for good", permissions=["change"])
    def revoke(self, request: HttpRequest, keys: QuerySet[ApiKey]) -> HttpResponse | None:
        live = filter_manageable(self, request, keys.filter(revoked_at=None), "user")
        chosen: list[ApiKey] = chosen_rows(self, request, live)
        if chosen and not is_confirmed(request):
            return confirmation_page(
                self, request, "revoke", chosen, _refusal_question(chosen, "Revoke", FOR_GOOD)
            )
        now = timezone.now()
        self.note(request, [key for key in chosen if key.revoke(now)], "note.revoked")
        return None

    def _set_disabled(
        self, request: HttpRequest, keys: QuerySet[ApiKey], *, is_disabled: bool
    ) -> HttpResponse | None:
        others = filter_manageable(self, request, keys.exclude(is_disabled=is_disabled), "user")
        chosen: list[ApiKey] = chosen_rows(self, request, others)
        if is_disabled and chosen and not is_confirmed(request):
            return confirmation_page(
                self, request, "disable", chosen, _refusal_question(chosen, "Disable", FOR_NOW)
            )
        ApiKey.objects.filter(pk__in=[key.pk for key in chosen]).update(is_disabled=is_disabled)
        self.note(request, chosen, "note.disabled" if is_disabled else "note.enabled")
        return None


FOR_GOOD = "This cannot be undone: their owners have to make new keys."
FOR_NOW = "They can be enabled again."


def _refusal_question(keys: list[ApiKey], verb: str, how_long: str) -> Question:
    owners = len({key.user_id for key in keys})
    refused = f"Calls with {count_noun(len(keys), 'key')} of {count_noun(owners, 'account')}"
    return Question(
        title=f"{verb} {count_noun(len(keys), 'key')}?",
        consequences=[f"{refused} will be refused, from now on.", how_long],
        verb=f"Yes, {verb.lower()}",
    )
