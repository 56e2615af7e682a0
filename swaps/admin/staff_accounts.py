"""Permissions on staff accounts: only superusers change them.

Other staff see them. They do not change, block or delete them, or what opens them (password, e-mail
addresses, API keys), whatever model permissions they have.
"""

from typing import Any, TypeVar

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

from swaps.models import User

Row = TypeVar("Row", bound=Model)
IS_STAFF = Q(is_staff=True) | Q(is_superuser=True)


def may_manage(request: HttpRequest, user: User) -> bool:
    """Return True when the user of the request may change this account and what opens it."""
    return _is_superuser(request) or not (user.is_staff or user.is_superuser)


def manageable(request: HttpRequest) -> QuerySet[User]:
    """Return the accounts that the user of the request may change."""
    return User.objects.all() if _is_superuser(request) else User.objects.exclude(IS_STAFF)


def filter_manageable(
    model_admin: ModelAdmin[Any], request: HttpRequest, rows: QuerySet[Row], account: str
) -> QuerySet[Row]:
    """Return the rows whose ``account`` may be changed; a message says how many were left out."""
    kept = rows.filter(**{f"{account}__in": manageable(request)})
    if left_out := rows.count() - kept.count():
        text = f"{left_out} left as they are: only superusers change staff accounts."
        model_admin.message_user(request, text, messages.WARNING)
    return kept


def _is_superuser(request: HttpRequest) -> bool:
    return bool(request.user.is_active and request.user.is_superuser)
