"""Swaps in the admin: shown, hidden, removed; never edited."""

import uuid
from collections.abc import Iterator
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from swaps.admin.confirmation import (
    Question,
    chosen_rows,
    confirmation_page,
    count_noun,
    is_confirmed,
)
from swaps.admin.hosted import link_to_callbacks
from swaps.admin.notes import NotedAdmin
from swaps.lifecycle.remove import remove_swap
from swaps.models import Status, Submission, Swap
from swaps.models.swap_files import PictureKind
from swaps.views.pictures import picture_response

KINDS: tuple[PictureKind, ...] = ("source", "target", "result")


class ErrorCodeFilter(admin.AllValuesFieldListFilter):
    """A filter by error code, in which swaps without an error are called “none”."""

    def choices(self, changelist: Any) -> Iterator[Any]:
        for choice in super().choices(changelist):
            yield choice | {"display": choice["display"] or "none"}


@admin.register(Swap)
class SwapAdmin(NotedAdmin):
    """Swaps, which staff hide, show again and remove."""

    list_display = (
        *("short_id", "pictures", "owner", "door", "state", "is_hidden", "attempts"),
        "created_at",
    )
    list_filter = (
        *("status", "is_parked", "door", "provider", "is_hidden"),
        *("created_at", ("error_code", ErrorCodeFilter)),
    )
    list_select_related = ("owner",)
    list_per_page = 30
    show_full_result_count = False
    search_fields = ("=id", "owner__email")
    search_help_text = "The id of a swap, or a part of an e-mail address."
    date_hierarchy = "created_at"
    ordering = ("-created_at", "-id")
    actions = ("hide", "show", "remove")
    fields = (
        ("id", "owner"),
        ("door", "api_key", "trace_id"),
        "pictures",
        ("status", "is_parked", "is_hidden", "attempts"),
        ("provider", "at_provider"),
        ("width", "height", "size", "score", "warnings"),
        ("error_code", "error_image", "reason"),
        ("created_at", "started_at", "finished_at", "lease_expires_at"),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Swap | None = None) -> bool:
        return False  # "remove" keeps the fact and deletes the pictures

    def get_readonly_fields(self, request: HttpRequest, obj: Swap | None = None) -> list[str]:
        return [name for row in self.fields for name in ([row] if isinstance(row, str) else row)]

    def has_change_permission(self, request: HttpRequest, obj: Swap | None = None) -> bool:
        """Return False for a single row; for the list, whether the user may run the actions."""
        return obj is None and super().has_change_permission(request)

    def get_urls(self) -> list[URLPattern]:
        thumb = path(
            "<uuid:pk>/thumb/<kind:kind>/",
            self.admin_site.admin_view(self.thumb),
            name="swaps_swap_thumb",
        )
        return [thumb, *super().get_urls()]

    def thumb(self, request: HttpRequest, pk: uuid.UUID, kind: PictureKind) -> HttpResponseBase:
        """Serve a thumbnail of any user's swap, hidden ones included."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        swap = Swap.objects.filter(pk=pk).exclude(status=Status.REMOVED).first()
        if swap is None or not swap.key(kind):
            raise Http404
        return picture_response(request, swap.key(kind), side=160)

    @admin.display(description="id", ordering="id")
    def short_id(self, swap: Swap) -> SafeString:
        return format_html('<span title="{}">{}…</span>', swap.pk, str(swap.pk)[:8])

    @admin.display(description="error message")
    def reason(self, swap: Swap) -> str:
        return swap.error_text if swap.is_failed else ""

    @admin.display(description="status", ordering="status")
    def state(self, swap: Swap) -> str:
        return f"{swap.status}, parked" if swap.is_parked else swap.status

    @admin.display(description="at the provider")
    def at_provider(self, swap: Swap) -> SafeString | str:
        if not Submission.objects.filter(pk=swap.pk).exists():
            return "not sent" if swap.is_hosted else "–"
        url = reverse("admin:swaps_submission_change", args=[swap.pk])
        return format_html('<a href="{}">Submission</a>, {}', url, link_to_callbacks(swap.pk))

    @admin.display(description="source, target, result")
    def pictures(self, swap: Swap) -> SafeString | str:
        if swap.status == Status.REMOVED:
            return "removed"
        thumb = '<img class="swap-thumb" src="{}" alt="{}" loading="lazy" width="72" height="72">'
        kinds = [kind for kind in KINDS if swap.key(kind)]
        urls = [reverse("admin:swaps_swap_thumb", args=[swap.pk, kind]) for kind in kinds]
        return format_html_join("", thumb, zip(urls, kinds, strict=True)) or "–"

    @admin.action(description="Hide from everyone", permissions=["change"])
    def hide(self, request: HttpRequest, swaps: QuerySet[Swap]) -> None:
        self._set_hidden(request, swaps, is_hidden=True)

    @admin.action(description="Show again", permissions=["change"])
    def show(self, request: HttpRequest, swaps: QuerySet[Swap]) -> None:
        self._set_hidden(request, swaps, is_hidden=False)

    @admin.action(description="Remove, with all pictures", permissions=["change"])
    def remove(self, request: HttpRequest, swaps: QuerySet[Swap]) -> HttpResponse | None:
        found = swaps.exclude(status=Status.REMOVED).select_related("owner", "submission")
        chosen: list[Swap] = chosen_rows(self, request, found)
        if chosen and not is_confirmed(request):
            question = _removal_question(chosen)
            return confirmation_page(
                self, request, "remove", chosen, question, describe=self._describe
            )
        for swap in chosen:
            remove_swap(swap)
            self.log_notes(request, [swap], "note.removed")  # at once: a later one may break
        self.message_user(request, f"{len(chosen)} removed.", messages.SUCCESS)
        return None

    def _describe(self, swap: Swap) -> SafeString:
        """Return HTML by which a person recognizes a swap: its pictures, its owner, its time."""
        made = date_format(timezone.localtime(swap.created_at), "DATETIME_FORMAT")
        row = '{} <span title="{}">{}, {}</span>'
        return format_html(row, self.pictures(swap), swap.pk, swap.owner, made)

    def _set_hidden(self, request: HttpRequest, swaps: QuerySet[Swap], *, is_hidden: bool) -> None:
        chosen: list[Swap] = chosen_rows(self, request, swaps)
        Swap.objects.filter(pk__in=[swap.pk for swap in chosen]).update(is_hidden=is_hidden)
        self.note(request, chosen, "note.hidden" if is_hidden else "note.shown")


def _removal_question(swaps: list[Swap]) -> Question:
    """Build the question before a removal: which pictures go, which swaps are refunded."""
    pictures = sum(bool(swap.key(kind)) for swap in swaps for kind in KINDS)
    sent = [swap for swap in swaps if swap.is_unfinished and swap.has_been_sent]
    given_back = sum(swap.is_unfinished for swap in swaps) - len(sent)
    owners = len({swap.owner_id for swap in swaps})
    consequences = [
        f"{count_noun(len(swaps), 'swap')} of {count_noun(owners, 'account')} will be removed.",
        f"{count_noun(pictures, 'picture')} will be deleted, with their small copies.",
    ]
    if sent:
        given_up = f"{count_noun(len(sent), 'submission')} at the hosted provider"
        consequences.append(f"{given_up} will be given up, and counted.")
    if given_back:
        stopped = count_noun(given_back, "unfinished swap")
        consequences.append(f"{stopped} will be stopped, and not counted.")
    return Question(
        title=f"Remove {count_noun(len(swaps), 'swap')}, with all pictures?",
        consequences=[*consequences, "This cannot be undone."],
        verb="Yes, remove for good",
    )
