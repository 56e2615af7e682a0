"""Enqueues the background task that a swap needs next."""

from django.utils import timezone

from swaps import queue
from swaps.models import Submission, Swap
from swaps.models.submission_queryset import LEASE


def enqueue_next(swap: Swap) -> None:
    """Enqueue the next task of a swap: fetch its pictures, send it away, or perform it here."""
    if not swap.has_pictures:
        queue.enqueue("fetch_pictures", swap.pk)
    elif swap.is_hosted:
        enqueued = {"enqueue_again_at": timezone.now() + LEASE}
        Submission.objects.get_or_create(swap=swap, defaults=enqueued)
        queue.enqueue("submit_swap", swap.pk)
    else:
        queue.enqueue("run_swap", swap.pk)
