"""What the playground of the documentation page works with.

Pictures that became URLs, and callbacks that arrived at the inspector, with a verdict on their
signatures.
"""

import datetime
import enum
import hmac
import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from standardwebhooks import Webhook

from swaps import images, services, storage
from swaps.models import ApiAccess, InspectedCallback, User

MOST_SHOWN = 5


class Verdict(enum.StrEnum):
    RIGHT = "right"
    WRONG = "wrong"
    MISSING = "missing"


@dataclass(frozen=True, kw_only=True)
class KeptPicture:
    pk: uuid.UUID
    url: str
    seconds: int


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """A callback, as it came."""

    pk: uuid.UUID
    received_at: datetime.datetime
    headers: Mapping[str, str]
    text: str
    verdict: Verdict
    task_id: str  # empty when there is none
    is_success: bool


def keep(owner: User, photo: images.Photo) -> KeptPicture:
    """Keep a picture for a while, and make a URL of it that the API can be given."""
    upload = services.keep_upload(owner, photo)
    seconds = min(settings.FACESWAP_SIGNED_URL_SECONDS, settings.FACESWAP_KEPT_UPLOAD_HOURS * 3600)
    url = storage.presigned_url(upload.key, seconds)
    return KeptPicture(pk=upload.pk, url=url, seconds=seconds)


def newest_arrival(user: User) -> uuid.UUID | None:
    return _newest_first(user).values_list("pk", flat=True).first()


def arrivals(user: User, now: datetime.datetime) -> list[Arrival]:
    """The newest ones."""
    found = list(_newest_first(user)[:MOST_SHOWN])
    if not found:
        return []
    access = ApiAccess.objects.filter(user=user).first()
    secrets = access.signing_secrets(now) if access else []
    return [_arrival(callback, secrets) for callback in found]


def judge(headers: Mapping[str, str], body: str, secrets: Iterable[str]) -> Verdict:
    """Whether one of the secrets signed it, however long ago."""
    said = headers.get("webhook-signature", "").split()
    if not said:
        return Verdict.MISSING
    try:
        seconds = int(headers.get("webhook-timestamp", ""))
        signed_at = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    except (ValueError, OverflowError, OSError):
        return Verdict.WRONG
    for secret in secrets:
        expected = Webhook(secret).sign(headers.get("webhook-id", ""), signed_at, body)
        if any(hmac.compare_digest(expected.encode(), each.encode()) for each in said):
            return Verdict.RIGHT
    return Verdict.WRONG


def _newest_first(user: User) -> QuerySet[InspectedCallback]:
    return InspectedCallback.objects.filter(user=user).order_by("-received_at", "-pk")


def _arrival(callback: InspectedCallback, secrets: Iterable[str]) -> Arrival:
    said = _read(callback.body)
    return Arrival(
        pk=callback.pk,
        received_at=callback.received_at,
        headers=callback.headers,
        text=json.dumps(said, indent=2, ensure_ascii=False) if said else callback.body,
        verdict=judge(callback.headers, callback.body, secrets),
        task_id=_task_id(said.get("task_id")),
        is_success=said.get("success") is True,
    )


def _read(body: str) -> dict[str, Any]:
    """What was posted; empty when it is no object. Anybody may post here."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _task_id(said: object) -> str:
    try:
        return str(uuid.UUID(str(said)))
    except ValueError:
        return ""
