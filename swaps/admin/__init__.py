"""Moderation: Django's admin over the rows."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin

from swaps.admin import api, email_addresses, provider, swaps, users

__all__ = ["api", "email_addresses", "provider", "swaps", "users"]

# Signing in is one page, with its limits on attempts, for staff as well.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
admin.site.site_header = "Faceswap administration"
admin.site.site_title = "Faceswap"
admin.site.index_title = "Moderation"
