"""The administration site for moderators: Django's admin over the rows."""

from allauth.account.decorators import secure_admin_login
from allauth.account.utils import get_next_redirect_url
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from swaps.admin import (
    api_keys,
    bad_results,
    deliveries,
    email_addresses,
    hosted,
    swaps,
    users,
)

__all__ = [
    "api_keys",
    "bad_results",
    "deliveries",
    "email_addresses",
    "hosted",
    "swaps",
    "users",
]


def _redirect_signed_in(request: HttpRequest, _context: object = None) -> HttpResponse:
    """Send staff who are signed in on to the page they wanted, by the rules of the sign-in page."""
    return redirect(get_next_redirect_url(request) or "admin:index")


# Signing in is one page, with its limits on attempts, for staff as well.
admin.site.login = secure_admin_login(_redirect_signed_in)  # type: ignore[method-assign]
admin.site.site_url = f"{settings.SITE_PATH}/"
admin.site.site_header = "Faceswap administration"
admin.site.site_title = "Faceswap"
admin.site.index_title = "Moderation"
# The index has all there is, and lists need the room.
admin.site.enable_nav_sidebar = False
