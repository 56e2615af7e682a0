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

from django.db.models import QuerySet
from standardwebhooks import Webhook

from swaps.models import ApiAccess, InspectedCallback, User

MAX_SHOWN = 5


class Verdict(enum.StrEnum):
    RIGHT = "right"
    WRONG = "wrong"
    MISSING = "missing"


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


def newest_arrival(user: User) -> uuid.UUID | None:
    return _newest_first(user).values_list("pk", flat=True).first()


def arrivals(user: User, now: datetime.datetime) -> list[Arrival]:
    """The newest ones."""
    found = list(_newest_first(user)[:MAX_SHOWN])
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
