"""Removes a swap: its pictures are deleted at once, its row stays for the records."""

import logging

from django.db import transaction

from swaps import storage
from swaps.deliveries import deliver
from swaps.lifecycle.settle import close_submission, refund
from swaps.models import AccountStorage, ProviderCallback, Swap
from swaps.models.swap_states import NOT_REMOVED

log = logging.getLogger(__name__)


def remove_swap(swap: Swap) -> None:
    """Remove a swap with its files; an unfinished one is refunded.

    One that was sent to a hosted provider is not refunded: the provider counts it.
    """
    with transaction.atomic():
        swap.lock()
        is_cut_off = swap.is_unfinished
        is_paid_for = swap.has_been_sent
        size = swap.stored_bytes
        if not swap.remove(was=NOT_REMOVED):
            return
        AccountStorage.objects.release(swap.owner_id, size)
        if is_cut_off and not is_paid_for:
            refund(swap)
        if is_cut_off:
            deliver.create_delivery(swap)
        close_submission(swap)
        ProviderCallback.objects.filter(swap=swap).delete()
    storage.delete(swap.keys)
    log.info("swap=%s removed", swap.pk)
