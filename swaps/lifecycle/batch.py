"""Batches: one face for many photos, requested together, tried again and removed together."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from swaps import errors, images
from swaps.lifecycle.photos import load_photo
from swaps.lifecycle.remove import remove_swaps
from swaps.lifecycle.request import AlreadyRequested, SwapDetails, request_swap
from swaps.lifecycle.uploads import discard_uploads
from swaps.models import Batch, FormSubmission, Quota, Status, Swap, User
from swaps.models.labels import clean_name
from swaps.models.swap_pairs import Pair
from swaps.models.swap_states import NOT_REMOVED


@dataclass(frozen=True, kw_only=True)
class BatchDetails:
    """What a batch may be told besides its photos."""

    name: str = ""
    pairs: Sequence[Pair] = ()
    consented_at: datetime.datetime | None = None


NO_DETAILS = BatchDetails()


@dataclass(frozen=True, kw_only=True)
class Requested:
    """How many swaps of a batch were requested; ``error`` is why the others were not."""

    batch: Batch
    count: int
    error: errors.SwapError | None = None


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a batch has come.

    ``percent`` never goes back: a photo that is tried again takes the place of the one that failed,
    and one that was deleted counts as done.
    """

    total: int
    ready: int
    failed: int
    percent: int

    @property
    def unfinished(self) -> int:
        return self.total - self.ready - self.failed


def progress_of(swaps: Sequence[Swap]) -> Progress:
    """Return the progress of a batch with these swaps, removed and hidden ones among them."""
    here = [swap for swap in swaps if swap.status != Status.REMOVED and not swap.is_hidden]
    ready = sum(swap.is_succeeded for swap in here)
    done = ready + len(swaps) - len(here)
    return Progress(
        total=len(here),
        ready=ready,
        failed=sum(swap.is_failed for swap in here),
        percent=100 * done // max(1, len(swaps)),
    )


def request_batch(
    owner: User,
    source: images.Photo,
    photo_keys: Sequence[str],
    *,
    details: BatchDetails = NO_DETAILS,
    form_key: str = "",
) -> Requested:
    """Request a swap of this face into each of these stored photos; uploads are used up by it.

    Nothing is started when fewer swaps are left than there are photos: raises ``errors.UsedUp``.
    So do a full account (``errors.UsedUp``) and a full disk (``errors.ApiError``) that not even the
    first swap fits into; when it is a later one, the batch is what was requested until then.
    Raises ``AlreadyRequested`` when the form was sent before.
    """
    left = Quota.objects.remaining_of(owner)
    if left < len(photo_keys):
        raise errors.UsedUp("batch", photos=len(photo_keys), left=left)
    batch = Batch(owner=owner, name=clean_name(details.name))
    with transaction.atomic():
        if form_key and not FormSubmission.objects.claim(owner, form_key, batch.pk):
            raise AlreadyRequested
        batch.save()
    of_swap = SwapDetails(pairs=details.pairs, batch=batch, consented_at=details.consented_at)
    count = 0
    for key in photo_keys:
        try:
            request_swap(owner, source, load_photo(key), details=of_swap)
        except (FileNotFoundError, images.ImageRefused):  # deleted meanwhile
            continue
        except errors.SwapError as error:
            if count:
                return Requested(batch=batch, count=count, error=error)
            _undo(batch)
            raise
        except BaseException:
            if not count:
                _undo(batch)
            raise
        discard_uploads(owner, [key])
        count += 1
    return Requested(batch=batch, count=count)


def find_batch(owner: User, form_key: str) -> Batch | None:
    """Return the batch that this form has requested already; None for a form without a key."""
    if not form_key:
        return None
    made = FormSubmission.objects.filter(user=owner, key=form_key).values_list("made", flat=True)
    return Batch.objects.filter(pk__in=list(made), owner=owner).first()


def can_be_retried(swap: Swap) -> bool:
    """Return whether a failed swap may succeed with the same photos, which are still here."""
    return swap.is_failed and not swap.error_image and swap.has_pictures


def retry_failed(batch: Batch) -> Requested:
    """Request those failed swaps of a batch anew that may succeed now, each in the old one's place.

    A failed swap was refunded, so a photo is charged once, however often this is called.
    """
    count = 0
    failed = batch.swaps.filter(status=Status.FAILED, is_hidden=False).order_by("created_at", "id")
    for swap in filter(can_be_retried, failed):
        details = SwapDetails(
            pairs=swap.pairs, batch=batch, replaces=swap, consented_at=swap.consented_at
        )
        try:
            source, target = load_photo(swap.source_key), load_photo(swap.target_key)
            request_swap(batch.owner, source, target, details=details)
        except (FileNotFoundError, images.ImageRefused, AlreadyRequested):
            continue
        except errors.SwapError as error:
            return Requested(batch=batch, count=count, error=error)
        count += 1
    return Requested(batch=batch, count=count)


def remove_batch(batch: Batch) -> None:
    """Remove the batch and its swaps with their pictures, but for those that staff have hidden."""
    remove_swaps(batch.swaps.filter(status__in=NOT_REMOVED, is_hidden=False))
    batch.delete()


def _undo(batch: Batch) -> None:
    """Delete a batch without swaps; its form may be sent again."""
    FormSubmission.objects.filter(user=batch.owner, made=str(batch.pk)).delete()
    batch.delete()
