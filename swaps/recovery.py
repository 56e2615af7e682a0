"""What the clock does: queue the crashed again, end the hopeless, purge what has had its time."""

import datetime

from django.conf import settings
from django.db import transaction

from swaps import errors, services, storage
from swaps.models import Status, Swap, Upload

BATCH = 200


def tick(now: datetime.datetime) -> None:
    """One beat of the clock. Two clocks at once do no harm: every step is a compare-and-set."""
    recover_overdue(now)
    requeue_forgotten(now)
    purge_removed(now)
    purge_uploads(now)


def recover_overdue(now: datetime.datetime) -> None:
    """A claimed swap whose lease is over: try again, or fail it after the last attempt."""
    for swap in Swap.objects.overdue(now).order_by("lease_expires_at")[:BATCH]:
        if swap.attempts >= settings.FACESWAP_MAX_ATTEMPTS:
            services.settle(swap, errors.ApiError("Something broke on our side. Please try again."))
            continue
        with transaction.atomic():
            if swap.requeue(now):
                services.enqueue(swap)


def requeue_forgotten(now: datetime.datetime) -> None:
    """Queued for long and never started: its task may be lost, another one does no harm.

    Each round waits a lease longer (``lease_expires_at`` notes when the swap was last queued).
    """
    lease = datetime.timedelta(seconds=settings.FACESWAP_LEASE_SECONDS)
    waiting = Swap.objects.filter(status=Status.QUEUED, created_at__lte=now - lease)
    forgotten = waiting.exclude(lease_expires_at__gt=now).order_by("created_at")
    for swap in forgotten[:BATCH]:
        with transaction.atomic():
            mine = waiting.exclude(lease_expires_at__gt=now).filter(pk=swap.pk)
            if mine.update(lease_expires_at=now + lease) == 1:
                services.enqueue(swap)


def purge_removed(now: datetime.datetime) -> None:
    """Delete the files of removed swaps once more, in case a worker stored one meanwhile."""
    settled = now - datetime.timedelta(seconds=2 * settings.FACESWAP_LEASE_SECONDS)
    removed = Swap.objects.filter(
        status=Status.REMOVED, is_purged=False, finished_at__lte=settled
    ).order_by("finished_at")
    for swap in removed[:BATCH]:
        folder = [storage.key_for("swaps", swap.pk, "result", end) for end in (".jpg", ".png")]
        storage.delete([swap.source_key, swap.target_key, *folder])
        Swap.objects.filter(pk=swap.pk).update(is_purged=True)


def purge_uploads(now: datetime.datetime) -> None:
    """Kept photos of refused forms have had their time."""
    born = now - datetime.timedelta(hours=settings.FACESWAP_KEPT_UPLOAD_HOURS)
    for upload in Upload.objects.filter(created_at__lte=born).order_by("created_at")[:BATCH]:
        upload.delete()
