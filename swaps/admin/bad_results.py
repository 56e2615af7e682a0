"""What people say looks wrong, in the admin: read, and never edited."""

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from swaps.admin.base import ReadOnlyAdmin
from swaps.models import BadResult


@admin.register(BadResult)
class BadResultAdmin(ReadOnlyAdmin):
    """Reports of owners that a result looks wrong, newest first."""

    list_display = ("reason", "owner", "swap_link", "is_refunded", "created_at")
    list_filter = ("reason", "is_refunded", "created_at")
    list_select_related = ("owner",)
    search_fields = ("=swap__id", "owner__email")
    search_help_text = "The id of a swap, or a part of an e-mail address."
    fields = (("reason", "is_refunded"), "owner", "swap_link", "created_at")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False  # there is no action either

    @admin.display(description="swap")
    def swap_link(self, report: BadResult) -> SafeString:
        url = reverse("admin:swaps_swap_change", args=[report.swap_id])
        return format_html('<a href="{}">{}…</a>', url, str(report.swap_id)[:8])
