"""A place for callbacks on this site itself, so that nobody needs one elsewhere to try them.

Its URL is signed for one account. Deliveries to it are handed over without a network call.
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
KEPT = datetime.timedelta(days=1)
SHOWN_HEADERS = ("content-type", "webhook-id", "webhook-timestamp", "webhook-signature")


def url_of(user: User) -> str:
    """The same for one account: a call that is sent again names the same callback."""
    return urljoin(
        settings.SITE_URL, reverse("swaps:inspector", args=[_signer().sign(_name_of(user))])
    )


def token_in(url: str) -> str | None:
    """The token of a URL of ours; None for any other URL."""
    prefix, path = reverse("swaps:inspector", args=["-"])[:-2], path_on_this_site(url)
    if path is None or not path.startswith(prefix):
        return None
    return path.removeprefix(prefix).rstrip("/")


def is_ours(url: str) -> bool:
    return user_id_in(token_in(url) or "") is not None


def user_id_in(token: str) -> int | None:
    """Whose inspector it is; None for a token that is forged."""
    try:
        return int(_signer().unsign(token).partition(".")[0])
    except (signing.BadSignature, ValueError):
        return None


def receive(token: str, headers: Mapping[str, str], body: bytes) -> int:
    """Keep what was posted; the HTTP status to answer with."""
    user = User.objects.filter(pk=user_id_in(token) or 0, is_active=True).first()
    if user is None or _signer().unsign(token) != _name_of(user):
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


def _name_of(user: User) -> str:
    """Another one after each time that all access to the account was ended."""
    ended_at = user.access_ended_at
    return f"{user.pk}.{ended_at.timestamp():.0f}" if ended_at else str(user.pk)


def _signer() -> signing.Signer:
    return signing.Signer(salt="swaps.inspector")
