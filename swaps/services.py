"""What spans several rows: request a swap, end it, remove it, keep a photo for the next try."""

import logging
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from swaps import deliveries, errors, images, photos, storage
from swaps.models import (
    AccountStorage,
    ApiKey,
    Door,
    FormSubmission,
    IdempotencyKey,
    ProviderCallback,
    Submission,
    Swap,
    Upload,
    User,
    Verdict,
)
from swaps.models.quota import quotas
from swaps.models.submission import LEASE
from swaps.models.swap import NOT_REMOVED, Kind
from swaps.providers.base import Finished

log = logging.getLogger(__name__)

MOST_KEPT_UPLOADS = 6
USED_UP = "You have used all your swaps."


@dataclass(frozen=True, kw_only=True)
class ApiCall:
    """What a call of the API says besides its pictures."""

    key: ApiKey
    body: dict[str, Any]
    body_digest: str
    trace_id: str
    callback_url: str
    idempotency_key: str


class SentBefore(Exception):
    """The same form, with the same photos, has made its swap."""


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
    meanwhile and ``SentBefore`` when the form was; nothing is left behind then.
    """
    pk = uuid.uuid4()
    door = Door.API if call else Door.BROWSER
    given: dict[Kind, images.Photo | None] = {"source": source, "target": target}
    here = {kind: photo for kind, photo in given.items() if photo}
    keys = {kind: photo_key(pk, kind, photo) for kind, photo in here.items()}
    by_key = {keys[kind]: photo for kind, photo in here.items()}
    with photos.stored(owner, by_key) as stray, transaction.atomic():
        if form_key and not FormSubmission.objects.claim(owner, form_key, pk):
            raise SentBefore
        if not quotas(door).spend(owner):
            raise errors.UsedUp(USED_UP)
        if stray:
            stray.claim()
        swap = Swap.objects.create(
            pk=pk,
            owner=owner,
            door=door,
            provider=provider or provider_of(door),
            stored_bytes=stray.size if stray else 0,
            **{f"{kind}_key": key for kind, key in keys.items()},
            **_columns(call),
        )
        if call and call.idempotency_key:
            IdempotencyKey.objects.create(
                user=owner, key=call.idempotency_key, body_digest=call.body_digest, swap=swap
            )
        enqueue(swap)
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


def provider_of(door: Door) -> str:
    """Who performs the swaps that come in by this door."""
    return settings.FACESWAP_API_PROVIDER if door == Door.API else settings.FACESWAP_PROVIDER


def enqueue(swap: Swap) -> None:
    """The task that is next for it."""
    from swaps import tasks  # they end swaps through this module

    if not swap.has_pictures:
        tasks.fetch_pictures.enqueue(str(swap.pk))
    elif swap.is_hosted:
        enqueued = {"enqueue_again_at": timezone.now() + LEASE}
        Submission.objects.get_or_create(swap=swap, defaults=enqueued)
        tasks.submit_swap.enqueue(str(swap.pk))
    else:
        tasks.run_swap.enqueue(str(swap.pk))


def settle(
    swap: Swap, outcome: Finished | errors.SwapError, *, decided: Submission | None = None
) -> None:
    """The only way a swap ends: status, files, refund on failure, callback, one log line.

    ``decided``: its submission as it was when this was decided. Should something have come of that
    meanwhile, nothing ends here.
    """
    if isinstance(outcome, errors.SwapError):
        _settle_failed(swap, outcome, decided)
    else:
        _settle_succeeded(swap, outcome, decided)


def _settle_succeeded(swap: Swap, finished: Finished, decided: Submission | None) -> None:
    key = storage.key_for("swaps", swap.pk, "result", finished.extension)
    storage.put(key, finished.data)
    storage.put(storage.thumb_key(key), finished.thumbnail)
    size = len(finished.data) + len(finished.thumbnail)
    try:
        with transaction.atomic():
            succeeded = _is_still_so(swap, decided) and swap.succeed(
                result_key=key,
                width=finished.width,
                height=finished.height,
                size=len(finished.data),
                warnings=list(finished.warnings),
                stored_bytes=F("stored_bytes") + size,
            )
            if succeeded:
                AccountStorage.objects.add(swap.owner_id, size)
                _let_go(swap)
                deliveries.announce(swap)
    except Swap.DoesNotExist:  # the account was deleted meanwhile
        storage.delete([key])
        return
    if succeeded:
        log.info("swap=%s succeeded attempts=%d seconds=%.2f", swap.pk, swap.attempts, swap.seconds)
    elif not swap.is_succeeded:  # removed meanwhile: what was just stored must not stay
        storage.delete([key])


def _settle_failed(swap: Swap, error: errors.SwapError, decided: Submission | None) -> None:
    with transaction.atomic():
        failed = _is_still_so(swap, decided) and swap.fail(
            code=error.code, message=error.message, image=error.image
        )
        if failed:
            _let_go(swap)
            refund(swap)
            deliveries.announce(swap)
    if failed:
        log.info("swap=%s failed code=%s attempts=%d", swap.pk, error.code, swap.attempts)


def refund(swap: Swap) -> None:
    """It does not count. Its row must be locked, and have ended just now."""
    quotas(swap.door).refund(swap.owner_id)


def _is_still_so(swap: Swap, decided: Submission | None) -> bool:
    if decided is None:
        return True
    swap.lock()
    return Submission.objects.still(decided)


def _let_go(swap: Swap) -> None:
    """It has ended: nothing more is wanted of a hosted provider."""
    if not swap.is_hosted:
        return
    accepted = Submission.objects.filter(pk=swap.pk).exclude(callback="").first()
    if accepted and accepted.answered_at:
        ProviderCallback.objects.keep(
            swap.pk, Verdict.ACCEPTED, accepted.callback, accepted.answered_at
        )
    Submission.objects.end(swap)


def remove(swap: Swap) -> None:
    """Delete a swap: its files go at once; an unfinished one is given back to the quota.

    Not one that was sent to a hosted provider: that counts.
    """
    with transaction.atomic():
        swap.lock()
        is_cut_off = swap.is_unfinished
        is_paid_for = swap.has_been_sent
        size = swap.stored_bytes
        if not swap.remove(was=NOT_REMOVED):
            return
        AccountStorage.objects.give_back(swap.owner_id, size)
        if is_cut_off and not is_paid_for:
            refund(swap)
        if is_cut_off:
            deliveries.announce(swap)
        _let_go(swap)
        ProviderCallback.objects.filter(swap=swap).delete()
    storage.delete(swap.keys)
    log.info("swap=%s removed", swap.pk)


def keep_upload(owner: User, photo: images.Photo) -> Upload:
    """Keep a good photo of a refused form for the next try; an account keeps the newest few."""
    upload = Upload(owner=owner)
    upload.key = storage.key_for("uploads", upload.pk, "photo", photo.extension)
    with photos.stored(owner, {upload.key: photo}) as stray, transaction.atomic():
        if stray:
            stray.claim()
            upload.size = stray.size
        upload.save()
    for old in Upload.objects.filter(owner=owner).order_by("-created_at")[MOST_KEPT_UPLOADS:]:
        old.delete()
    return upload


def forget_uploads(owner: User, keys: Iterable[str]) -> None:
    """These kept photos have been used."""
    for upload in Upload.objects.filter(owner=owner, key__in=list(keys)):
        upload.delete()


def load_photo(key: str) -> images.Photo:
    """A stored photo, ready to be stored again under another key.

    Raises ``FileNotFoundError``; and ``images.ImageRefused`` if what is stored is broken.
    """
    data = storage.read(key)
    try:
        thumbnail = storage.read(storage.thumb_key(key))
    except FileNotFoundError:
        thumbnail = images.thumbnail(data)
    width, height = images.dimensions(data)
    return images.Photo(
        data=data,
        content_type=storage.content_type(key),
        extension=key[key.rindex(".") :],
        width=width,
        height=height,
        thumbnail=thumbnail,
    )


def photo_key(pk: uuid.UUID, kind: Kind, photo: images.Photo) -> str:
    """The object key of one of a swap's two inputs."""
    return storage.key_for("swaps", pk, kind, photo.extension)
