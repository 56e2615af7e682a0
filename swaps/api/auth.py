"""Authentication of API calls by their key."""

import datetime

from django.http import HttpRequest

from swaps import errors
from swaps.models import ApiKey


def authenticate(request: HttpRequest, now: datetime.datetime) -> ApiKey:
    """Return the key in the ``authorization`` header. Raises a ``SwapError`` for a bad one."""
    header = request.headers.get("authorization", "").strip()
    if not header:
        raise errors.NoToken("header")
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer":
        raise errors.InvalidToken("header")
    key = ApiKey.objects.find(token.strip())
    if key is None or key.revoked_at is not None:
        raise errors.InvalidToken("unknown")
    if key.is_disabled or not key.user.is_active:
        raise errors.Disabled("key")
    if key.is_expired(now):
        raise errors.TokenExpired("key")
    return key
