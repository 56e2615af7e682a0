"""The lifecycle of a detection: requested, its picture fetched, looked at, settled.

The picture is stored until then and no longer; the row stays for a while.
"""

import contextlib
import datetime
import logging
import uuid
from dataclasses import replace

from django.db import IntegrityError, transaction

from swaps import errors, images, queue, storage
from swaps.deliveries import deliver
from swaps.lifecycle import inputs, photos
from swaps.lifecycle.request import ApiCall
from swaps.models import AccountStorage, Detection, StrayFiles
from swaps.providers.base import Seen

log = logging.getLogger(__name__)


def request_detection(call: ApiCall) -> Detection:
    """Create a detection for an API call and enqueue its first task. It costs nothing.

    Raises ``errors.BadRequest`` or ``errors.InvalidImage`` for a picture that cannot be had, and
    ``errors.UsedUp`` when the account's storage is full; nothing is left behind then.
    """
    owner = call.key.user
    photo = inputs.read_local_picture(_picture(call.body), owner.pk)
    pk = uuid.uuid4()
    key = _photo_key(pk, 0, photo) if photo else ""
    by_key = {key: _without_copies(photo)} if photo else {}
    with photos.store_photos(owner, by_key) as stray, transaction.atomic():
        if stray:
            stray.claim()
        detection = Detection.objects.create(
            pk=pk,
            owner=owner,
            api_key=call.key,
            image_key=key,
            stored_bytes=stray.size if stray else 0,
            request=inputs.shorten_data_urls(call.body),
            trace_id=call.trace_id,
            callback_url=call.callback_url,
        )
        enqueue_next(detection)
    log.info("detection=%s requested trace=%s", pk, detection.trace_id)
    return detection


def enqueue_next(detection: Detection, *, run_after: datetime.datetime | None = None) -> None:
    """Enqueue the next task of a detection: fetch its picture, or look at it."""
    name: queue.TaskName = "detect_faces" if detection.image_key else "fetch_detection"
    queue.enqueue(name, detection.pk, run_after=run_after)


def fetch_photo(detection: Detection) -> None:
    """Store the picture of a claimed detection, and enqueue the detection for the engine.

    Raises what ``inputs.fetch``, ``inputs.accept`` and ``photos.store_photos`` raise.
    """
    named = _picture(detection.request)
    photo = inputs.accept(inputs.fetch(named), named, detection.owner_id)
    key = _photo_key(detection.pk, detection.attempts, photo)
    by_key = {key: _without_copies(photo)}
    try:
        with photos.store_photos(detection.owner, by_key) as stray, transaction.atomic():
            if stray and detection.requeue_with_picture(key, stray.size):
                stray.claim()
                enqueue_next(detection)
    except (Detection.DoesNotExist, IntegrityError):
        return  # the account was deleted meanwhile


def settle(detection: Detection, outcome: Seen | errors.SwapError) -> None:
    """End a detection: status, callback, its picture deleted, one log line."""
    with contextlib.suppress(Detection.DoesNotExist):  # the account was deleted meanwhile
        _settle(detection, outcome)


def _settle(detection: Detection, outcome: Seen | errors.SwapError) -> None:
    with transaction.atomic():
        detection.lock()
        key, size = detection.image_key, detection.stored_bytes
        if isinstance(outcome, errors.SwapError):
            ended = detection.fail(code=outcome.code, params=outcome.explanation)
        else:
            ended = detection.succeed(
                width=outcome.width, height=outcome.height, faces=outcome.faces
            )
        if not ended:
            return
        if key:
            AccountStorage.objects.release(detection.owner_id, size)
            StrayFiles.objects.delete_on_commit([key])
        deliver.create_delivery(detection)
    log.info(
        "detection=%s %s faces=%d attempts=%d",
        detection.pk,
        detection.error_code or detection.status,
        len(detection.faces),
        detection.attempts,
    )


def _picture(body: dict[str, str]) -> inputs.Input:
    return inputs.Input(field="image_url", url=body["image_url"])


def _photo_key(pk: uuid.UUID, attempt: int, photo: images.Photo) -> str:
    """Return an object key that no other attempt uses."""
    return storage.key_for("detections", pk, f"photo-{attempt}", photo.extension)


def _without_copies(photo: images.Photo) -> images.Photo:
    """Return a photo as it is stored: nobody but the engine sees it."""
    return replace(photo, copies={})
