"""Moderation: Django's admin over the rows."""

from django.contrib import admin

from swaps.admin import swaps, users

__all__ = ["swaps", "users"]

admin.site.site_header = "Faceswap administration"
admin.site.site_title = "Faceswap"
admin.site.index_title = "Moderation"
