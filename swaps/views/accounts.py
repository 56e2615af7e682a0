"""Account pages that differ from allauth's: welcome, addresses, confirming, new passwords."""

from typing import Any

from allauth.account import views as allauth_views
from allauth.account.models import EmailAddress
from allauth.account.utils import get_next_redirect_url
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from swaps.accounts import possession
from swaps.accounts.adapter import password_reset_key
from swaps.views.decorators import clears_browser_cache
from swaps.views.forms.accounts import NewPasswordForm, count_unconfirmed_swaps


@never_cache
@require_safe
def welcome(request: HttpRequest) -> HttpResponse:
    """Show the page after signing up, the same for everybody, so that no address is given away."""
    then = get_next_redirect_url(request) or reverse("swaps:new")
    context = {"user": AnonymousUser(), "then": then}
    return render(request, "account/verification_sent.html", context)


sign_out = clears_browser_cache(allauth_views.logout)


class EmailView(allauth_views.EmailView):  # type: ignore[misc]
    """The page of an account's e-mail addresses. Only a confirmed address becomes primary."""

    def _action_primary(self, request: HttpRequest) -> HttpResponse | None:
        address = self._get_email_address(request)
        if address and not address.verified:
            messages.error(request, "Confirm the address first: open the link that it gets.")
            return None
        if address:
            possession.release_address(address.email, address.user, timezone.now())
        response: HttpResponse | None = super()._action_primary(request)
        return response


email = EmailView.as_view()


class ConfirmEmailView(allauth_views.ConfirmEmailView):  # type: ignore[misc]
    """Confirms an e-mail address with the link that was mailed to it.

    Whoever opens the link owns the mailbox. In a browser that is signed in to the account they
    confirm the address; anywhere else they may take the account over, which somebody else may have
    made.
    """

    def get_context_data(self, **options: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**options)
        if self.object:
            user = self.object.email_address.user
            context |= {
                "is_own": self.request.user.pk == user.pk,
                "can_take_over": not possession.is_confirmed(user),
                "foreign_swaps": count_unconfirmed_swaps(user),
                "sign_in_url": f"{reverse('account_login')}?next={self.request.path}",
            }
        return context

    def post(self, *args: Any, **options: Any) -> HttpResponse:
        try:
            self.object = self.get_object()
        except Http404:
            self.object = None
        address = self.object.email_address if self.object else None
        if address is None or not address.can_set_verified():
            return self._page()
        if self.request.user.pk == address.user_id:
            return self._confirm(address)
        if possession.is_confirmed(address.user):
            return self._page()
        keep = "keep_swaps" in self.request.POST
        user = address.user
        possession.take_over(user, address.email, timezone.now(), keep_swaps=keep)
        messages.success(self.request, f"{address.email} is confirmed. Now choose a password.")
        uid, _, key = password_reset_key(user).partition("-")
        return redirect("account_reset_password_from_key", uidb36=uid, key=key)

    def _confirm(self, address: EmailAddress) -> HttpResponse:
        user = address.user
        ended = possession.confirm(user, address.email, timezone.now())
        update_session_auth_hash(self.request, user)
        messages.success(self.request, f"{address.email} is confirmed. {describe(ended)}".strip())
        return redirect(self.get_redirect_url())

    def _page(self) -> HttpResponse:
        response: HttpResponse = self.render_to_response(self.get_context_data())
        return response


confirm_email = ConfirmEmailView.as_view()


class NewPasswordView(allauth_views.PasswordResetFromKeyView):  # type: ignore[misc]
    """Sets a new password by a mailed link, and tells the owner what ended with the old one."""

    def form_valid(self, form: NewPasswordForm) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)
        if form.ended.has_ended:
            messages.success(self.request, describe(form.ended))
        return response


new_password = NewPasswordView.as_view()


def describe(ended: possession.EndedAccess) -> str:
    """Return sentences for the owner: what could open the account and no longer can."""
    if not ended.has_ended:
        return ""
    parts = ["All other browsers are signed out."]
    if ended.keys:
        parts.append(f"API keys that were revoked: {ended.keys}. Make new ones.")
    if ended.has_new_secret:
        parts.append("The secret that signs callbacks is a new one.")
    if ended.addresses:
        parts.append(f"Other addresses that were removed: {ended.addresses}.")
    return " ".join(parts)
