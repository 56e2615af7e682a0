"""Accounts in the admin: found, blocked, granted more swaps."""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest

from swaps.models import (
    AccountStorage,
    ApiAccess,
    ApiKey,
    Delivery,
    Door,
    Grant,
    ProviderCallback,
    Quota,
    Submission,
    Swap,
    User,
)

GOES_WITH_ITS_OWNER = {
    model._meta.verbose_name  # noqa: SLF001
    for model in (Swap, ApiKey, Delivery, Submission, ProviderCallback)
}

admin.site.unregister(Group)


class GrantForm(forms.ModelForm[Grant]):
    amount = forms.IntegerField(min_value=1, max_value=1_000_000)

    class Meta:
        model = Grant
        fields = ("door", "amount", "reason")


class GrantInline(admin.TabularInline[Grant, User]):
    """Each grant with its reason; given ones stay as they are."""

    model = Grant
    form = GrantForm
    fk_name = "user"
    fields = ("door", "amount", "reason", "granted_by", "created_at")
    readonly_fields = ("granted_by", "created_at")
    extra = 1
    can_delete = False
    verbose_name_plural = "grants of more swaps"

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False


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
    inlines = (GrantInline,)
    actions = ("block", "unblock")
    readonly_fields = ("date_joined", "last_login", "browser_quota", "api_quota", "storage")
    add_form = NewUserForm
    fieldsets = (
        (None, {"fields": ("email", "password")}),
        ("May", {"fields": ("is_active", "is_staff", "is_superuser", "user_permissions")}),
        ("Swaps", {"fields": ("browser_quota", "api_quota", "storage")}),
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

    def get_inlines(self, request: HttpRequest, obj: User | None) -> Any:
        return self.inlines if obj else ()

    @admin.display(description="in the browser")
    def browser_quota(self, user: User) -> str:
        quota = Quota.objects.filter(user=user).first()
        return str(quota) if quota else f"{Quota.free_swaps()} left, not used yet"

    @admin.display(description="by API")
    def api_quota(self, user: User) -> str:
        access = ApiAccess.objects.filter(user=user).first()
        return str(access) if access else "no access yet"

    @admin.display(description="pictures take")
    def storage(self, user: User) -> str:
        return str(AccountStorage.objects.filter(user=user).first() or AccountStorage())

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """A grant is added to what is left now, whatever was spent since the page was opened."""
        if formset.model is not Grant:
            super().save_formset(request, form, formset, change)
            return
        formset.new_objects, formset.changed_objects, formset.deleted_objects = [], [], []
        for new in formset.extra_forms:
            if new.has_changed():
                grant = new.cleaned_data
                formset.new_objects.append(
                    Grant.objects.give(
                        form.instance,
                        Door(grant["door"]),
                        grant["amount"],
                        reason=grant["reason"],
                        by=cast("User", request.user),
                    )
                )

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """An account goes with all that is its own, though none of it is deleted alone."""
        deleted, counts, forbidden, protected = super().get_deleted_objects(objs, request)
        return deleted, counts, forbidden - GOES_WITH_ITS_OWNER, protected

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
