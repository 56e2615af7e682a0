"""Enqueues the background task that a swap needs next."""

import datetime

from django.utils import timezone

from swaps import queue
from swaps.models import Submission, Swap
from swaps.models.submission_queryset import LEASE

BATCH_PRIORITY = -10  # swaps of a batch wait for all others


def enqueue_next(swap: Swap, *, run_after: datetime.datetime | None = None) -> None:
    """Enqueue the next task of a swap: fetch its pictures, send it away, or perform it here.

    People come before batches: however long a batch is, another swap waits for one of it at most.
    """
    name: queue.TaskName = "run_swap"
    if not swap.has_pictures:
        name = "fetch_pictures"
    elif swap.is_hosted:
        enqueued = {"enqueue_again_at": timezone.now() + LEASE}
        Submission.objects.get_or_create(swap=swap, defaults=enqueued)
        name = "submit_swap"
    priority = BATCH_PRIORITY if swap.batch_id else None
    queue.enqueue(name, swap.pk, run_after=run_after, priority=priority)
