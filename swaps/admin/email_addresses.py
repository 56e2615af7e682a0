"""E-mail addresses in the admin. Whoever receives a reset mail has the account."""

from typing import Any

from allauth.account.admin import EmailAddressAdmin as AllauthEmailAddressAdmin
from allauth.account.models import EmailAddress
from django.contrib import admin
from django.db.models import ForeignKey, QuerySet
from django.http import HttpRequest

from swaps.admin.staff_accounts import filter_manageable, manageable, may_manage

admin.site.unregister(EmailAddress)


@admin.register(EmailAddress)
class EmailAddressAdmin(AllauthEmailAddressAdmin):  # type: ignore[misc]
    """Addresses of accounts; those of staff accounts are changed by superusers only."""

    list_per_page = 50
    show_full_result_count = False
    list_select_related = ("user",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed = super().has_change_permission(request, obj)
        return bool(allowed and (obj is None or may_manage(request, obj.user)))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed = super().has_delete_permission(request, obj)
        return bool(allowed and (obj is None or may_manage(request, obj.user)))

    def formfield_for_foreignkey(
        self, db_field: "ForeignKey[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> Any:
        """Offer only the accounts that the user may manage."""
        if db_field.name == "user":
            kwargs["queryset"] = manageable(request)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    @admin.action(description="Mark as verified", permissions=["change"])
    def make_verified(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        super().make_verified(request, filter_manageable(self, request, queryset, "user"))
