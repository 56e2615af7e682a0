"""A place for callbacks on this site itself, so that nobody needs one elsewhere to try them.

Its URL is signed for one account. Deliveries to it are handed over without a network call.
"""

import datetime
from collections.abc import Mapping

from django.conf import settings
from django.core import signing
from django.urls import reverse

from swaps.models import InspectedCallback, User

SALT = "swaps.inspector"
URL_SECONDS = 7 * 24 * 3600
MOST_KEPT = 20
MOST_BYTES = 64_000
KEPT = datetime.timedelta(days=1)
SHOWN_HEADERS = ("content-type", "webhook-id", "webhook-timestamp", "webhook-signature")


def url_of(user: User) -> str:
    token = signing.dumps(user.pk, salt=SALT)
    return settings.SITE_URL + reverse("swaps:inspector", args=[token])


def token_in(url: str) -> str | None:
    """The token of a URL of ours; None for any other URL."""
    prefix = settings.SITE_URL + reverse("swaps:inspector", args=["-"]).removesuffix("-/")
    if not url.startswith(prefix):
        return None
    return url.removeprefix(prefix).rstrip("/")


def receive(token: str, headers: Mapping[str, str], body: bytes) -> int:
    """Keep what was posted; the HTTP status to answer with."""
    try:
        user_id = signing.loads(token, salt=SALT, max_age=URL_SECONDS)
    except signing.BadSignature:
        return 404
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None:
        return 404
    if len(body) > MOST_BYTES:
        return 413
    lower = {name.lower(): value for name, value in headers.items()}
    InspectedCallback.objects.create(
        user=user,
        headers={name: lower[name][:500] for name in SHOWN_HEADERS if name in lower},
        body=body.decode(errors="replace").replace("\0", "\ufffd"),
    )
    old = InspectedCallback.objects.filter(user=user).order_by("-received_at")[MOST_KEPT:]
    InspectedCallback.objects.filter(pk__in=[row.pk for row in old]).delete()
    return 204
