"""Removes a swap: its pictures are deleted at once, its row stays for the records."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction

from swaps import storage
from swaps.deliveries import deliver
from swaps.lifecycle.settle import close_submission, refund
from swaps.models import AccountStorage, ProviderCallback, StrayFiles, Swap
from swaps.models.swap_states import NOT_REMOVED

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Removal:
    """What is lost and given back when swaps are removed together."""

    swaps: list[Swap]
    refunded: int  # unfinished, and not sent to anybody
    paid_for: int  # unfinished, and sent to a hosted provider


def preview_removal(swaps: Iterable[Swap]) -> Removal:
    """Say what removing these swaps would do, as they are now."""
    found = list(swaps)
    unfinished = [swap for swap in found if swap.is_unfinished]
    paid_for = sum(swap.has_been_sent for swap in unfinished)
    return Removal(swaps=found, refunded=len(unfinished) - paid_for, paid_for=paid_for)


def remove_swap(swap: Swap) -> None:
    """Remove a swap with its files; an unfinished one is refunded.

    One that was sent to a hosted provider is not refunded: the provider counts it.
    """
    with transaction.atomic():
        is_removed = _mark_removed(swap)
    if is_removed:
        storage.delete(swap.keys)


def remove_swaps(swaps: Iterable[Swap]) -> int:
    """Remove many swaps like ``remove_swap``, and return how many it were.

    The clock deletes their files at its next ticks: so many may take a store longer than anybody
    should wait.
    """
    removed = 0
    for swap in swaps:
        with transaction.atomic():
            if _mark_removed(swap):
                StrayFiles.objects.record_removed(swap.keys)
                removed += 1
    return removed


def _mark_removed(swap: Swap) -> bool:
    """Do all that removes a swap but to delete its files; True for the first caller only."""
    swap.lock()
    is_cut_off = swap.is_unfinished
    is_paid_for = swap.has_been_sent
    size = swap.stored_bytes
    if not swap.remove(was=NOT_REMOVED):
        return False
    AccountStorage.objects.release(swap.owner_id, size)
    if is_cut_off and not is_paid_for:
        refund(swap)
    if is_cut_off:
        deliver.create_delivery(swap)
    close_submission(swap)
    ProviderCallback.objects.filter(swap=swap).delete()
    log.info("swap=%s removed", swap.pk)
    return True
