"""The adapter of allauth: where accounts behave otherwise than allauth's default."""

from types import SimpleNamespace
from typing import Any
from urllib.parse import urljoin, urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import default_token_generator
from allauth.account.utils import passthrough_next_redirect_url, user_pk_to_url_str
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, validate_email
from django.db.models import EmailField
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from swaps import links
from swaps.accounts import guests, limits, possession
from swaps.models import User
from swaps.models.user import GUEST_DOMAIN, normalize_password


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Builds links and redirects from SITE_URL, never from the Host header; limits attempts."""

    def is_safe_url(self, url: str) -> bool:
        """Return True for URLs of this site. allauth's own follows every name in ALLOWED_HOSTS."""
        return links.is_on_this_site(url)

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count the attempt before the password is checked; refuse it when there were too many."""
        self._login_failed_rl_usage = limits.count_attempt(request, credentials.get("email", ""))
        if self._login_failed_rl_usage is None:
            raise self.validation_error("too_many_login_attempts")

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Hash a second time where an account would have: a failure takes as long without one."""
        password = credentials.get("password", "")
        has_account = possession.find_account(credentials.get("email", ""))
        if normalize_password(password) != password and not has_account:
            make_password(password)

    def clean_email(self, email: str) -> str:
        """Refuse an address that is too long; allauth would cut it off, or break.

        Those of guests are no addresses at all: no mail is sent to them.
        """
        MaxLengthValidator(EmailField().max_length)(email)
        if email.lower().endswith(f"@{GUEST_DOMAIN}"):
            raise ValidationError(validate_email.message)
        return str(super().clean_email(email))

    def clean_password(self, password: str, user: User | None = None) -> str:
        return str(super().clean_password(normalize_password(password), user))

    def _delete_login_attempts_cached_email(self, request: HttpRequest, **credentials: Any) -> None:
        limits.clear_attempts(request, credentials["email"])

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send a mail that names this site by SITE_URL."""
        site = SimpleNamespace(name="Faceswap", domain=urlsplit(settings.SITE_URL).netloc)
        super().send_mail(template_prefix, email, {**context, "current_site": site})

    def get_reset_password_from_key_url(self, key: str) -> str:
        return _on_this_site(super().get_reset_password_from_key_url(key))

    def get_email_confirmation_url(self, request: HttpRequest, emailconfirmation: object) -> str:
        return _on_this_site(super().get_email_confirmation_url(request, emailconfirmation))

    def send_password_reset_mail(self, user: User, email: str, context: dict[str, Any]) -> None:
        """Send the link to the account's primary address, whichever of its addresses was typed."""
        super().send_password_reset_mail(user, user.email, context)

    def send_account_exists_mail(self, user: User) -> None:
        """Tell the owner of an address that somebody tried to sign up with it."""
        url = self.get_reset_password_from_key_url(password_reset_key(user))
        context = {"password_reset_url": url, "login_url": _on_this_site(reverse("account_login"))}
        self.send_mail("account/email/account_already_exists", user.email, context)

    def post_login(self, request: HttpRequest, user: User, **login: Any) -> HttpResponse:
        """Remember the client's address, and take along what the browser made as a guest.

        After signing up show the welcome page.
        """
        response = super().post_login(request, user, **login)
        limits.remember_address(request, user)
        guests.take_along(request.session, user, timezone.now())
        return redirect_to_welcome(request) if login["signup"] else response


def redirect_to_welcome(request: HttpRequest) -> HttpResponseRedirect:
    """Redirect to the page after signing up, the same whether or not there was an account."""
    url = reverse("account_email_verification_sent")
    return HttpResponseRedirect(passthrough_next_redirect_url(request, url, "next"))


def password_reset_key(user: User) -> str:
    """Return the key in the path of a password reset link: account and token."""
    return f"{user_pk_to_url_str(user)}-{default_token_generator.make_token(user)}"


def _on_this_site(url: str) -> str:
    return urljoin(settings.SITE_URL, urlsplit(url).path)
