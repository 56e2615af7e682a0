"""Settles a swap: the only way in which one succeeds or fails."""

import logging

from django.db import transaction
from django.db.models import F

from swaps import errors, storage
from swaps.deliveries import deliver
from swaps.models import AccountStorage, GuestCount, ProviderCallback, Submission, Swap, Verdict
from swaps.models.quotas import quotas
from swaps.providers.base import Finished

log = logging.getLogger(__name__)


def settle(
    swap: Swap, outcome: Finished | errors.SwapError, *, snapshot: Submission | None = None
) -> None:
    """End a swap: status, files, refund on failure, callback, one log line.

    ``snapshot`` is the submission as it was when the outcome was decided. When it has changed
    meanwhile, nothing ends here.
    """
    if isinstance(outcome, errors.SwapError):
        _settle_failed(swap, outcome, snapshot)
    else:
        _settle_succeeded(swap, outcome, snapshot)


def _settle_succeeded(swap: Swap, finished: Finished, snapshot: Submission | None) -> None:
    key = storage.key_for("swaps", swap.pk, "result", finished.extension)
    storage.put_picture(key, finished.data, finished.copies)
    size = len(finished.data) + sum(map(len, finished.copies.values()))
    try:
        with transaction.atomic():
            succeeded = _unchanged_since(swap, snapshot) and swap.succeed(
                result_key=key,
                width=finished.width,
                height=finished.height,
                size=len(finished.data),
                warnings=list(finished.warnings),
                score=finished.score,
                stored_bytes=F("stored_bytes") + size,
            )
            if succeeded:
                AccountStorage.objects.add(swap.owner_id, size)
                close_submission(swap)
                deliver.create_delivery(swap)
    except Swap.DoesNotExist:  # the account was deleted meanwhile
        storage.delete([key])
        return
    if succeeded:
        log.info("swap=%s succeeded attempts=%d seconds=%.2f", swap.pk, swap.attempts, swap.seconds)
    elif not swap.is_succeeded:  # removed meanwhile: what was just stored must not stay
        storage.delete([key])


def _settle_failed(swap: Swap, error: errors.SwapError, snapshot: Submission | None) -> None:
    with transaction.atomic():
        failed = _unchanged_since(swap, snapshot) and swap.fail(
            code=error.code, params=error.explanation, image=error.image
        )
        if failed:
            close_submission(swap)
            refund(swap)
            deliver.create_delivery(swap)
    if failed:
        log.info("swap=%s failed code=%s attempts=%d", swap.pk, error.code, swap.attempts)


def refund(swap: Swap) -> None:
    """Return one swap to where it was counted; call in the transaction that ended it.

    A guest's swap goes back to the counts of its browser and its address, also when an account has
    taken it along meanwhile.
    """
    if swap.guest_counts:
        GuestCount.objects.give_back(swap.guest_counts)
    else:
        quotas(swap.door).refund(swap.owner_id)


def _unchanged_since(swap: Swap, snapshot: Submission | None) -> bool:
    if snapshot is None:
        return True
    swap.lock()
    return Submission.objects.lock_if_unchanged(snapshot)


def close_submission(swap: Swap) -> None:
    """End the submission of a swap that has ended: nothing more is wanted of the provider."""
    if not swap.is_hosted:
        return
    accepted = Submission.objects.filter(pk=swap.pk).exclude(callback="").first()
    if accepted and accepted.answered_at:
        ProviderCallback.objects.record(
            swap.pk, Verdict.ACCEPTED, accepted.callback, accepted.answered_at
        )
    Submission.objects.end(swap)
