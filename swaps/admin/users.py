"""Accounts in the admin: searched, blocked, granted more swaps."""

from collections.abc import Iterator
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminPasswordChangeForm, AdminUserCreationForm
from django.contrib.auth.models import Group
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from swaps.accounts import possession
from swaps.admin.confirmation import (
    MAX_NAMED,
    Question,
    chosen_rows,
    confirmation_page,
    count_noun,
    is_confirmed,
)
from swaps.admin.notes import NotedAdmin
from swaps.admin.staff_accounts import filter_manageable, may_manage
from swaps.models import (
    AccountStorage,
    ApiAccess,
    ApiKey,
    Delivery,
    Door,
    FormSubmission,
    Grant,
    Quota,
    Status,
    Submission,
    Swap,
    User,
)
from swaps.views import form_tokens

KINDS = ("source", "target", "result")

admin.site.unregister(Group)


RIGHTS = ("is_staff", "is_superuser", "user_permissions")


class TokenField(forms.CharField):
    """A hidden form token, which alone does not make a form count as filled in."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        return False


class GrantForm(forms.ModelForm[Grant]):
    """Grants more swaps, for one door, with a reason."""

    amount = forms.IntegerField(min_value=1, max_value=1_000_000)
    form_token = TokenField(required=False, widget=forms.HiddenInput, initial=form_tokens.new_token)

    class Meta:
        model = Grant
        fields = ("door", "amount", "reason")


class GrantInline(admin.StackedInline[Grant, User]):
    """The grants of an account; given ones cannot be changed."""

    model = Grant
    form = GrantForm
    fk_name = "user"
    fields = (("door", "amount", "reason"), "form_token", ("granted_by", "created_at"))
    readonly_fields = ("granted_by", "created_at")
    extra = 1
    can_delete = False
    verbose_name_plural = "grants of more swaps"

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False


class PasswordForm(AdminPasswordChangeForm):  # type: ignore[type-arg]
    """Sets a password, and ends what could open the account before, as a reset by mail does."""

    def save(self, commit: bool = True) -> User:
        if self.user.has_usable_password():
            possession.end_access(self.user, timezone.now())
        user: User = super().save(commit)
        return user


class NewUserForm(AdminUserCreationForm):  # type: ignore[type-arg]
    """Creates an account."""

    class Meta:
        model = User
        fields = ("email",)


class GuestFilter(admin.SimpleListFilter):
    """Leaves out guests, who have no account, unless they are asked for."""

    title = "guests"
    parameter_name = "guests"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("only", "Guests")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        return queryset.filter(is_guest=self.value() == "only")

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Name the choice without a value: Django would say "All"."""
        accounts, *others = super().choices(changelist)
        yield {**accounts, "display": "Accounts"}
        yield from others


@admin.register(User)
class UserAdmin(NotedAdmin, DjangoUserAdmin):  # type: ignore[type-arg]
    """Accounts, which staff block, unblock and grant more swaps."""

    list_display = ("email", "is_active", "is_staff", "date_joined", "last_login")
    list_filter = (GuestFilter, "is_active", "is_staff", "date_joined")
    search_fields = ("email",)
    ordering = ("-date_joined",)
    list_per_page = 50
    show_full_result_count = False
    inlines = (GrantInline,)
    actions = ("block", "unblock")
    readonly_fields = ("date_joined", "last_login", "browser_quota", "api_quota", "storage")
    add_form = NewUserForm
    change_password_form = PasswordForm
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
    filter_horizontal = ()

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        allowed = super().has_change_permission(request, obj)
        return allowed and (obj is None or (may_manage(request, obj) and not obj.is_guest))

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        allowed = super().has_delete_permission(request, obj)
        return allowed and (obj is None or may_manage(request, obj))

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Make the rights read-only for everybody but superusers."""
        readonly = super().get_readonly_fields(request, obj)
        return readonly if request.user.is_superuser else (*readonly, *RIGHTS)

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
        """Add new grants to what is left now, whatever was spent since the page was opened."""
        if formset.model is not Grant:
            super().save_formset(request, form, formset, change)
            return
        formset.new_objects, formset.changed_objects, formset.deleted_objects = [], [], []
        for new in formset.extra_forms:
            if new.has_changed():
                grant = new.cleaned_data
                if not self._claim_grant(request, form.instance, grant):
                    continue
                formset.new_objects.append(
                    Grant.objects.give(
                        form.instance,
                        Door(grant["door"]),
                        grant["amount"],
                        reason=grant["reason"],
                        by=cast("User", request.user),
                    )
                )

    def _claim_grant(self, request: HttpRequest, user: User, grant: dict[str, Any]) -> bool:
        """Return True once for each form; call in the transaction in which the grant is given.

        A double click sends a form twice: for the second one there is a message instead.
        """
        if not grant["form_token"]:
            return True
        named = (grant[name] for name in ("form_token", "door", "amount", "reason"))
        key = form_tokens.hash_values(user.pk, *named).hex()
        if FormSubmission.objects.claim(cast("User", request.user), key, user.pk):
            return True
        self.message_user(request, "This was granted already, and only once.", messages.WARNING)
        return False

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Return what is deleted with the accounts, counted, not named: there may be thousands."""
        users = list(objs)
        may_all = all(self.has_delete_permission(request, user) for user in users)
        forbidden = set() if may_all else {"staff accounts"}
        names = [str(user) for user in users[:MAX_NAMED]]
        if more := len(users) - len(names):
            names.append(f"and {more} more")
        return names, _count_belongings(users), forbidden, []

    @admin.action(description="Block (no sign-in, signed out at once)", permissions=["change"])
    def block(self, request: HttpRequest, users: QuerySet[User]) -> HttpResponse | None:
        if users.filter(pk=request.user.pk or 0).exists():
            self.message_user(request, "You cannot block yourself.", messages.WARNING)
        others = users.exclude(pk=request.user.pk or 0)
        chosen = self._manageable(request, others)
        if chosen and not is_confirmed(request):
            return confirmation_page(self, request, "block", chosen, _blocking_question(chosen))
        self._set_active(request, chosen, is_active=False)
        return None

    @admin.action(description="Unblock", permissions=["change"])
    def unblock(self, request: HttpRequest, users: QuerySet[User]) -> None:
        accounts = users.filter(is_guest=False)
        self._set_active(request, self._manageable(request, accounts), is_active=True)

    def _manageable(self, request: HttpRequest, users: QuerySet[User]) -> list[User]:
        return chosen_rows(self, request, filter_manageable(self, request, users, "pk"))

    def _set_active(self, request: HttpRequest, users: list[User], *, is_active: bool) -> None:
        User.objects.filter(pk__in=[user.pk for user in users]).update(is_active=is_active)
        self.note(request, users, "note.unblocked" if is_active else "note.blocked")


def _count_belongings(users: list[User]) -> dict[str, int]:
    """Count what is deleted with these accounts, by its name."""
    counts = {"accounts": len(users)}
    swaps = Swap.objects.filter(owner__in=users)
    has_picture = {f"{kind}_key": Count("pk", filter=~Q(**{f"{kind}_key": ""})) for kind in KINDS}
    pictures = swaps.exclude(status=Status.REMOVED).aggregate(**has_picture)
    return counts | {
        "swaps": swaps.count(),
        "pictures, with their small copies": sum(pictures.values()),
        "API keys": ApiKey.objects.filter(user__in=users).count(),
        "callbacks": Delivery.objects.filter(owner__in=users).count(),
        "submissions": Submission.objects.filter(swap__in=swaps).count(),
    }


def _blocking_question(users: list[User]) -> Question:
    keys = ApiKey.objects.filter(user__in=users, revoked_at=None, is_disabled=False).count()
    return Question(
        title=f"Block {count_noun(len(users), 'account')}?",
        consequences=[
            f"{count_noun(len(users), 'account')} will be signed out at once, and cannot sign in.",
            f"Calls with {count_noun(keys, 'API key')} will be refused.",
            "Their swaps and pictures stay. They can be unblocked.",
        ],
        verb="Yes, block",
    )
