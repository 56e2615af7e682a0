"""Requests a swap: photos stored, quota spent, row made and first task enqueued, or none of it."""

import datetime
import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from swaps import errors, images
from swaps.lifecycle import photos
from swaps.lifecycle.enqueue import enqueue_next
from swaps.models import ApiKey, Batch, Door, FormSubmission, GuestCount, IdempotencyKey, Swap, User
from swaps.models.quotas import quotas
from swaps.models.swap_pairs import Pair

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ApiCall:
    """What a swap keeps of an API call besides its pictures."""

    key: ApiKey
    body: dict[str, Any]
    body_digest: str
    trace_id: str
    callback_url: str
    idempotency_key: str


@dataclass(frozen=True, kw_only=True)
class SwapDetails:
    """What a swap may be told besides its pictures."""

    pairs: Sequence[Pair] = ()
    batch: Batch | None = None
    replaces: Swap | None = None  # a failed one of the same batch, whose place it takes
    consented_at: datetime.datetime | None = None
    expires_at: datetime.datetime | None = None
    guest_counters: Sequence[str] = ()  # a guest's swap is counted under these, and by no quota


NO_DETAILS = SwapDetails()


class AlreadyRequested(Exception):
    """The same form, with the same photos, has requested its swap already; or it was retried."""


def request_swap(
    owner: User,
    source: images.Photo | None,
    target: images.Photo | None,
    *,
    more_sources: Sequence[images.Photo | None] = (),
    details: SwapDetails = NO_DETAILS,
    call: ApiCall | None = None,
    form_key: str = "",
    provider: str = "",
) -> Swap:
    """Store the photos, then spend, create and enqueue in one transaction.

    A photo that a call of the API names by URL may be None: it is fetched by a task. The pairs of
    ``details`` count the sources from 0: ``source``, then ``more_sources``.
    Raises ``errors.UsedUp`` when the quota is spent or the account's storage is full,
    ``errors.ApiError`` when the disk is, ``IntegrityError`` when the idempotency key was used
    meanwhile and ``AlreadyRequested`` when the form was; nothing is left behind then.
    """
    pk = uuid.uuid4()
    door = Door.API if call else Door.BROWSER
    given = {"source": source, "target": target}
    given |= {f"source-{number}": photo for number, photo in enumerate(more_sources, 1)}
    here = {name: photo for name, photo in given.items() if photo}
    keys = {name: photos.photo_key(pk, name, photo) for name, photo in here.items()}
    by_key = {keys[name]: photo for name, photo in here.items()}
    with photos.store_photos(owner, by_key) as stray, transaction.atomic():
        if form_key and not FormSubmission.objects.claim(owner, form_key, pk):
            raise AlreadyRequested
        if (
            details.batch
            and details.replaces
            and not details.batch.release_failed(details.replaces)
        ):
            raise AlreadyRequested
        guest_counts = _spend(owner, door, details.guest_counters)
        if stray:
            stray.claim()
        swap = Swap.objects.create(
            pk=pk,
            owner=owner,
            door=door,
            provider=provider or provider_for(door),
            stored_bytes=stray.size if stray else 0,
            source_key=keys.get("source", ""),
            target_key=keys.get("target", ""),
            more_source_keys=[keys.get(name, "") for name in given if name.startswith("source-")],
            pairs=list(details.pairs),
            batch=details.batch,
            consented_at=details.consented_at,
            expires_at=details.expires_at,
            has_sizes=all(photo.has_all_copies for photo in here.values()),
            guest_counts=guest_counts,
            **_columns(call),
        )
        if call and call.idempotency_key:
            IdempotencyKey.objects.create(
                user=owner, key=call.idempotency_key, body_digest=call.body_digest, swap=swap
            )
        enqueue_next(swap)
    log.info("swap=%s requested door=%s trace=%s", pk, door, swap.trace_id)
    return swap


def _spend(owner: User, door: Door, guest_counters: Sequence[str]) -> list[int]:
    """Take one swap from the quota, or count it for a guest and return where it was counted."""
    if not guest_counters:
        if not quotas(door).spend(owner):
            raise errors.UsedUp("swaps")
        return []
    today, limit = timezone.localdate(), settings.FACESWAP_GUEST_SWAPS
    counts = GuestCount.objects.take(guest_counters, today, limit)
    if not counts:
        raise errors.UsedUp("guest")
    return counts


def _columns(call: ApiCall | None) -> dict[str, Any]:
    if call is None:
        return {"trace_id": uuid.uuid4().hex}
    return {
        "api_key": call.key,
        "request": call.body,
        "trace_id": call.trace_id,
        "callback_url": call.callback_url,
    }


def provider_for(door: Door) -> str:
    """Return the provider of the swaps that come in by this door."""
    return settings.FACESWAP_API_PROVIDER if door == Door.API else settings.FACESWAP_PROVIDER
