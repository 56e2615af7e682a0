"""Accounts in the admin: found, blocked, granted more swaps."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.contrib.auth.models import Group
from django.db.models import F, QuerySet
from django.http import HttpRequest

from swaps.models import Quota, User

admin.site.unregister(Group)


class QuotaForm(forms.ModelForm[Quota]):
    """Grants in one statement: what was spent since the page was opened is not given back."""

    grant = forms.IntegerField(min_value=1, max_value=1_000_000, required=False)

    class Meta:
        model = Quota
        fields = ()

    def save(self, commit: bool = True) -> Quota:
        Quota.objects.of(self.instance.user)
        if grant := self.cleaned_data.get("grant"):
            Quota.objects.filter(user=self.instance.user).update(remaining=F("remaining") + grant)
        return Quota.objects.get(user=self.instance.user)


class QuotaInline(admin.StackedInline[Quota, User]):
    model = Quota
    form = QuotaForm
    fields = ("remaining", "spent", "grant")
    readonly_fields = ("remaining", "spent")
    can_delete = False


class NewUserForm(AdminUserCreationForm):  # type: ignore[type-arg]
    class Meta:
        model = User
        fields = ("email",)


@admin.register(User)
class UserAdmin(DjangoUserAdmin):  # type: ignore[type-arg]
    list_display = ("email", "is_active", "is_staff", "date_joined", "last_login")
    list_filter = ("is_active", "is_staff", "date_joined")
    search_fields = ("email",)
    ordering = ("-date_joined",)
    list_per_page = 50
    show_full_result_count = False
    inlines = (QuotaInline,)
    actions = ("block", "unblock")
    readonly_fields = ("date_joined", "last_login")
    add_form = NewUserForm
    fieldsets = (
        (None, {"fields": ("email", "password")}),
        ("May", {"fields": ("is_active", "is_staff", "is_superuser", "user_permissions")}),
        ("Dates", {"fields": ("date_joined", "last_login")}),
    )
    add_fieldsets = (
        (
            None,
            {
                "classes": ("wide",),
                "fields": ("email", "usable_password", "password1", "password2"),
            },
        ),
    )
    filter_horizontal = ("user_permissions",)

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """An account goes with its swaps, though swaps alone are removed, not deleted."""
        deleted, counts, forbidden, protected = super().get_deleted_objects(objs, request)
        return deleted, counts, forbidden - {"swap"}, protected

    @admin.action(description="Block (no sign-in, signed out at once)", permissions=["change"])
    def block(self, request: HttpRequest, users: QuerySet[User]) -> None:
        others = users.exclude(pk=request.user.pk or 0)
        self._mark(request, others, is_active=False)
        if users.filter(pk=request.user.pk or 0).exists():
            self.message_user(request, "You cannot block yourself.", messages.WARNING)

    @admin.action(description="Unblock", permissions=["change"])
    def unblock(self, request: HttpRequest, users: QuerySet[User]) -> None:
        self._mark(request, users, is_active=True)

    def _mark(self, request: HttpRequest, users: QuerySet[User], *, is_active: bool) -> None:
        word = "Unblocked." if is_active else "Blocked."
        for user in users:
            self.log_change(request, user, word)
        marked = users.update(is_active=is_active)
        self.message_user(request, f"{marked}: {word}", messages.SUCCESS)
