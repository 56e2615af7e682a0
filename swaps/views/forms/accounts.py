"""Forms of accounts: they tell nobody whether an address has an account, and end foreign access."""

from typing import Any

from allauth.account import forms as allauth_forms
from allauth.account.adapter import get_adapter
from allauth.account.internal.flows import email_verification
from allauth.account.models import EmailAddress
from django import forms
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import rotate_token
from django.utils import timezone

from swaps.accounts import limits, possession
from swaps.accounts.adapter import AccountAdapter, redirect_to_welcome
from swaps.models import Swap, User
from swaps.models.user import normalize_password


class SignupForm(allauth_forms.SignupForm):  # type: ignore[misc]
    """Signs up. The response is the same for an address that has an account already."""

    def validate_unique_email(self, value: str) -> str:
        return value

    def try_save(self, request: HttpRequest) -> tuple[User | None, HttpResponse | None]:
        email = self.cleaned_data["email"]
        user = possession.find_account(email)
        if user is None:
            try:
                with transaction.atomic():
                    return self.save(request), None
            except IntegrityError:  # somebody else was faster
                user = possession.find_account(email)
        self._imitate_signup(request, email, user)
        return None, redirect_to_welcome(request)

    def save(self, request: HttpRequest) -> User:
        user: User = super().save(request)
        own = {"user": user, "email": user.email}  # missing where somebody else claims it
        EmailAddress.objects.get_or_create(**own, defaults={"primary": True})
        return user

    def _imitate_signup(self, request: HttpRequest, email: str, user: User | None) -> None:
        """Take as long and set the same cookies as for a new account; mail the address's owner."""
        make_password(self.cleaned_data["password1"])
        request.session.cycle_key()
        rotate_token(request)
        if user and email_verification.consume_email_verification_rate_limit(request, email):
            AccountAdapter(request).send_account_exists_mail(user)


class ResetPasswordForm(allauth_forms.ResetPasswordForm):  # type: ignore[misc]
    """Mails a reset link to the account's primary address, whichever of its addresses was typed."""

    def clean_email(self) -> str:
        email: str = get_adapter().clean_email(self.cleaned_data["email"].lower())
        user = possession.find_account(email)
        self.users = [user] if user and user.is_active else []
        return email

    def save(self, request: HttpRequest, **options: Any) -> str:
        if self.users or limits.count_mail_to_stranger(request):
            super().save(request, **options)
        return str(self.cleaned_data["email"])


class NormalizedPasswordMixin:
    """Normalizes the repeated password as the adapter does the first one, so that they compare."""

    cleaned_data: dict[str, str]
    fields: dict[str, forms.Field]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for field in self.fields.values():
            field.label = str(field.label).capitalize()  # not in title case, as allauth's are

    def clean_password2(self) -> str:
        return normalize_password(self.cleaned_data["password2"])


class ChangePasswordForm(NormalizedPasswordMixin, allauth_forms.ChangePasswordForm):  # type: ignore[misc]
    """Changes the password: the current one, and the new one twice."""


class SetPasswordForm(NormalizedPasswordMixin, allauth_forms.SetPasswordForm):  # type: ignore[misc]
    """Sets the first password of an account, typed twice."""


class NewPasswordForm(NormalizedPasswordMixin, allauth_forms.ResetPasswordKeyForm):  # type: ignore[misc]
    """Sets a new password by a link from a mail."""

    ended = possession.EndedAccess()

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        count = count_unconfirmed_swaps(self.user) if self.user else 0
        if count and self.user.has_usable_password():
            self.fields["keep_swaps"] = forms.BooleanField(
                label=f"{count} {'swap' if count == 1 else 'swaps'} made with it: mine, keep them",
                required=False,
            )

    def save(self) -> None:
        keep = bool(self.cleaned_data.get("keep_swaps"))
        with transaction.atomic():
            self.ended = possession.confirm_by_reset(self.user, timezone.now(), keep_swaps=keep)
            super().save()


def count_unconfirmed_swaps(user: User) -> int:
    """Count the swaps that were made before anybody confirmed the account's address."""
    if possession.is_primary_confirmed(user):
        return 0
    return Swap.objects.visible_to(user).count()
