"""The inspector: an account's own endpoint on this site for trying callbacks.

Its URL is signed for one account. Deliveries to it are stored without a network call.
"""

import datetime
from collections.abc import Mapping
from urllib.parse import urljoin

from django.conf import settings
from django.core import signing
from django.urls import reverse

from swaps.links import path_on_this_site
from swaps.models import InspectedCallback, User

MAX_KEPT = 20
MAX_BYTES = 64_000
RETENTION = datetime.timedelta(days=1)
SHOWN_HEADERS = ("content-type", "webhook-id", "webhook-timestamp", "webhook-signature")


def inspector_url(user: User) -> str:
    """Return the URL of a user's inspector, always the same: it is part of idempotent requests."""
    return urljoin(
        settings.SITE_URL, reverse("swaps:inspector", args=[_signer().sign(_signed_value(user))])
    )


def token_of_url(url: str) -> str | None:
    """Return the token in an inspector's URL; None for any other URL."""
    prefix, path = reverse("swaps:inspector", args=["-"])[:-2], path_on_this_site(url)
    if path is None or not path.startswith(prefix):
        return None
    return path.removeprefix(prefix).rstrip("/")


def is_inspector_url(url: str) -> bool:
    """Return True for the URL of an inspector of this site."""
    return user_id_of_token(token_of_url(url) or "") is not None


def user_id_of_token(token: str) -> int | None:
    """Return the id of the user for whom a token was signed; None for a forged token."""
    try:
        return int(_signer().unsign(token).partition(".")[0])
    except (signing.BadSignature, ValueError):
        return None


def receive(token: str, headers: Mapping[str, str], body: bytes) -> int:
    """Store what was posted, and return the HTTP status to respond with."""
    user = User.objects.filter(pk=user_id_of_token(token) or 0, is_active=True).first()
    if user is None or _signer().unsign(token) != _signed_value(user):
        return 404
    if len(body) > MAX_BYTES:
        return 413
    lower = {name.lower(): value for name, value in headers.items()}
    InspectedCallback.objects.create(
        user=user,
        headers={name: lower[name][:500] for name in SHOWN_HEADERS if name in lower},
        body=body.decode(errors="replace").replace("\0", "\ufffd"),
    )
    old = InspectedCallback.objects.filter(user=user).order_by("-received_at")[MAX_KEPT:]
    InspectedCallback.objects.filter(pk__in=[row.pk for row in old]).delete()
    return 204


def _signed_value(user: User) -> str:
    """Return what is signed for a user; it changes whenever all access to the account ends."""
    ended_at = user.access_ended_at
    return f"{user.pk}.{ended_at.timestamp():.0f}" if ended_at else str(user.pk)


def _signer() -> signing.Signer:
    return signing.Signer(salt="swaps.inspector")
