"""Who calls, and whether they may."""

import datetime

from django.http import HttpRequest

from swaps import errors
from swaps.models import ApiKey


def authenticate(request: HttpRequest, now: datetime.datetime) -> ApiKey:
    """The key in the ``authorization`` header, if it works."""
    header = request.headers.get("authorization", "").strip()
    if not header:
        raise errors.NoToken("Send your key in the header: authorization: Bearer fs_…")
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer":
        raise errors.InvalidToken("The authorization header must be: Bearer, a space, your key.")
    key = ApiKey.objects.find(token.strip())
    if key is None or key.revoked_at is not None:
        raise errors.InvalidToken("This key does not exist, or it was revoked.")
    if key.is_disabled or not key.user.is_active:
        raise errors.Disabled("This key or its account was disabled by the staff of this site.")
    if key.is_expired(now):
        raise errors.TokenExpired("This key has expired. Make a new one on the page API keys.")
    return key
