"""Reads the callbacks that arrived at the inspector, and verifies their signatures."""

import datetime
import enum
import hmac
import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from standardwebhooks import Webhook

from swaps.models import ApiAccess, InspectedCallback, User

MAX_SHOWN = 5


class SignatureVerdict(enum.StrEnum):
    """Whether a callback's signature is right, wrong or missing."""

    RIGHT = "right"
    WRONG = "wrong"
    MISSING = "missing"


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """A callback that arrived at the inspector, with the verdict on its signature."""

    pk: uuid.UUID
    received_at: datetime.datetime
    headers: Mapping[str, str]
    text: str
    verdict: SignatureVerdict
    task_id: str  # empty when there is none
    is_success: bool
    has_picture: bool  # a result to show; the faces of a picture have none


def newest_arrival(user: User) -> uuid.UUID | None:
    """Return the id of the user's newest callback; None when there is none."""
    return _newest_first(user).values_list("pk", flat=True).first()


def arrivals(user: User, now: datetime.datetime) -> list[Arrival]:
    """Return the user's newest callbacks, at most ``MAX_SHOWN``, with verdicts."""
    found = list(_newest_first(user)[:MAX_SHOWN])
    if not found:
        return []
    access = ApiAccess.objects.filter(user=user).first()
    secrets = access.signing_secrets(now) if access else []
    return [_arrival(callback, secrets) for callback in found]


def verify_signature(
    headers: Mapping[str, str], body: str, secrets: Iterable[str]
) -> SignatureVerdict:
    """Return whether one of the secrets signed a callback, however long ago."""
    signatures = headers.get("webhook-signature", "").split()
    if not signatures:
        return SignatureVerdict.MISSING
    try:
        seconds = int(headers.get("webhook-timestamp", ""))
        signed_at = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    except (ValueError, OverflowError, OSError):
        return SignatureVerdict.WRONG
    for secret in secrets:
        expected = Webhook(secret).sign(headers.get("webhook-id", ""), signed_at, body)
        if any(hmac.compare_digest(expected.encode(), each.encode()) for each in signatures):
            return SignatureVerdict.RIGHT
    return SignatureVerdict.WRONG


def _newest_first(user: User) -> QuerySet[InspectedCallback]:
    return InspectedCallback.objects.filter(user=user).order_by("-received_at", "-pk")


def _arrival(callback: InspectedCallback, secrets: Iterable[str]) -> Arrival:
    payload = _parse_object(callback.body)
    return Arrival(
        pk=callback.pk,
        received_at=callback.received_at,
        headers=callback.headers,
        text=json.dumps(payload, indent=2, ensure_ascii=False) if payload else callback.body,
        verdict=verify_signature(callback.headers, callback.body, secrets),
        task_id=_task_id(payload.get("task_id")),
        is_success=payload.get("success") is True,
        has_picture="image_url" in payload,
    )


def _parse_object(body: str) -> dict[str, Any]:
    """Parse the JSON object that was posted; {} for anything else. Anybody may post here."""
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return payload if isinstance(payload, dict) else {}


def _task_id(value: object) -> str:
    try:
        return str(uuid.UUID(str(value)))
    except ValueError:
        return ""
