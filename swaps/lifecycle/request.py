"""Requests a swap: photos stored, quota spent, row made and first task enqueued, or none of it."""

import logging
import uuid
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction

from swaps import errors, images
from swaps.lifecycle import photos
from swaps.lifecycle.enqueue import enqueue_next
from swaps.models import ApiKey, Door, FormSubmission, IdempotencyKey, Swap, User
from swaps.models.quotas import quotas
from swaps.models.swap import PictureKind

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


class AlreadyRequested(Exception):
    """The same form, with the same photos, has requested its swap already."""


def request_swap(
    owner: User,
    source: images.Photo | None,
    target: images.Photo | None,
    *,
    call: ApiCall | None = None,
    form_key: str = "",
    provider: str = "",
) -> Swap:
    """Store the photos, then spend, create and enqueue in one transaction.

    A photo that a call of the API names by URL may be None: it is fetched by a task.
    Raises ``errors.UsedUp`` when the quota is spent or the account's storage is full,
    ``errors.ApiError`` when the disk is, ``IntegrityError`` when the idempotency key was used
    meanwhile and ``AlreadyRequested`` when the form was; nothing is left behind then.
    """
    pk = uuid.uuid4()
    door = Door.API if call else Door.BROWSER
    given: dict[PictureKind, images.Photo | None] = {"source": source, "target": target}
    here = {kind: photo for kind, photo in given.items() if photo}
    keys = {kind: photos.photo_key(pk, kind, photo) for kind, photo in here.items()}
    by_key = {keys[kind]: photo for kind, photo in here.items()}
    with photos.store_photos(owner, by_key) as stray, transaction.atomic():
        if form_key and not FormSubmission.objects.claim(owner, form_key, pk):
            raise AlreadyRequested
        if not quotas(door).spend(owner):
            raise errors.UsedUp("swaps")
        if stray:
            stray.claim()
        swap = Swap.objects.create(
            pk=pk,
            owner=owner,
            door=door,
            provider=provider or provider_for(door),
            stored_bytes=stray.size if stray else 0,
            **{f"{kind}_key": key for kind, key in keys.items()},
            **_columns(call),
        )
        if call and call.idempotency_key:
            IdempotencyKey.objects.create(
                user=owner, key=call.idempotency_key, body_digest=call.body_digest, swap=swap
            )
        enqueue_next(swap)
    log.info("swap=%s requested door=%s trace=%s", pk, door, swap.trace_id)
    return swap


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
