"""Retention: removes what has expired, pictures first.

Each step is bounded, and may be done twice or by two clocks at once.
"""

import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from swaps import storage
from swaps.accounts import guests
from swaps.clock.rows import BATCH, for_each_row
from swaps.deliveries import inspector
from swaps.lifecycle.remove import remove_swap
from swaps.models import (
    AccountStorage,
    ApiKeyUse,
    CallCount,
    Delivery,
    DeliveryStatus,
    Detection,
    FormCount,
    FormSubmission,
    IdempotencyKey,
    InspectedCallback,
    PhotoCount,
    ProviderCallback,
    ShareLink,
    Status,
    StrayFiles,
    Swap,
    Upload,
    User,
    provider_callback,
    share_link,
)
from swaps.models.detection import RETENTION as DETECTION_RETENTION
from swaps.models.idempotency_key import RETENTION

MAX_DELETED = 500  # rows of each kind, a minute
KEPT_LOG = datetime.timedelta(days=90)  # of callbacks and of the uses of keys


def purge_removed(now: datetime.datetime) -> None:
    """Delete the files of removed swaps once more, in case a worker stored one meanwhile."""
    settled = now - datetime.timedelta(seconds=2 * settings.FACESWAP_LEASE_SECONDS)
    removed = Swap.objects.filter(
        status=Status.REMOVED, is_purged=False, finished_at__lte=settled
    ).order_by("finished_at")

    def purge(swap: Swap) -> None:
        storage.delete(swap.keys)
        swap.purge(Status.REMOVED)

    for_each_row(removed[:BATCH], purge)


def remove_unconfirmed_swaps(now: datetime.datetime) -> None:
    """Delete the swaps from before an account's address was confirmed, and their deliveries."""

    def delete_unconfirmed(user: User) -> None:
        swaps = Swap.objects.filter(owner=user, created_at__lte=user.forget_swaps_before)
        visible = swaps.exclude(status=Status.REMOVED).order_by("created_at")
        for_each_row(visible[:BATCH], remove_swap)
        sent = Delivery.objects.filter(owner=user, swap__in=swaps)
        for_each_row(sent.order_by("created_at")[:BATCH], lambda delivery: delivery.delete())
        seen = Detection.objects.filter(owner=user, created_at__lte=user.forget_swaps_before)
        for_each_row(seen.order_by("created_at")[:BATCH], lambda detection: detection.delete())
        if not visible.exists() and not sent.exists() and not seen.exists():
            User.objects.filter(pk=user.pk).update(forget_swaps_before=None)

    for_each_row(User.objects.filter(forget_swaps_before__isnull=False)[:BATCH], delete_unconfirmed)


def purge_uploads(now: datetime.datetime) -> None:
    """Delete photos that were sent long ago and used by no swap, but not those of My faces."""
    born = now - datetime.timedelta(hours=settings.FACESWAP_KEPT_UPLOAD_HOURS)
    is_over = Q(created_at__lte=born) | Q(owner__is_guest=True, created_at__lte=now - guests.LIFE)
    for_each_row(
        Upload.objects.passing().filter(is_over).order_by("created_at")[:BATCH],
        lambda upload: upload.delete(),
    )


def purge_failed(now: datetime.datetime) -> None:
    """Delete the pictures of swaps that failed long enough ago; the row stays."""
    ended = now - datetime.timedelta(hours=settings.FACESWAP_FAILED_HOURS)
    failed = Swap.objects.filter(status=Status.FAILED, is_purged=False, finished_at__lte=ended)

    def purge(swap: Swap) -> None:
        storage.delete(swap.keys)
        with transaction.atomic():
            swap.lock()
            size = swap.stored_bytes
            if swap.purge(Status.FAILED):
                AccountStorage.objects.release(swap.owner_id, size)

    for_each_row(failed.order_by("finished_at")[:BATCH], purge)


def sweep_stray(now: datetime.datetime) -> None:
    """Delete files that were written and never got their row, or lost it."""

    def sweep(stray: StrayFiles) -> None:
        if stray.is_awaited and not stray.abandon():
            return
        storage.delete(stray.keys)
        stray.release()

    for_each_row(StrayFiles.objects.filter(sweep_at__lte=now).order_by("sweep_at")[:BATCH], sweep)


def delete_expired_logs(now: datetime.datetime) -> None:
    """Delete expired uses of keys, deliveries and received callbacks."""
    log_ends_at = now - KEPT_LOG
    ApiKeyUse.objects.filter(day__lt=log_ends_at.date()).delete()
    Delivery.objects.exclude(status=DeliveryStatus.PENDING).filter(
        created_at__lte=log_ends_at
    ).delete()
    InspectedCallback.objects.filter(received_at__lte=now - inspector.RETENTION).delete()
    ProviderCallback.objects.filter(received_at__lte=now - provider_callback.RETENTION).delete()


def delete_expired_forms(now: datetime.datetime) -> None:
    """Delete expired keys, forms, counts and share links, a number of each at a time."""
    an_hour_ago = now - datetime.timedelta(hours=1)
    for old in (
        IdempotencyKey.objects.filter(created_at__lte=now - RETENTION),
        FormSubmission.objects.filter(created_at__lte=now - RETENTION),
        CallCount.objects.filter(minute__lte=an_hour_ago),
        FormCount.objects.filter(minute__lte=an_hour_ago),
        PhotoCount.objects.filter(minute__lte=an_hour_ago),
        ShareLink.objects.filter(expires_at__lte=now - share_link.KEPT),
    ):
        oldest = list(old.values_list("pk", flat=True)[:MAX_DELETED])
        old.filter(pk__in=oldest).delete()


def delete_old_detections(now: datetime.datetime) -> None:
    """Delete the detections that nobody will ask for any more, unless a callback is still due."""
    old = Detection.objects.filter(created_at__lte=now - DETECTION_RETENTION)
    done = old.exclude(finished_at=None).exclude(delivery__status=DeliveryStatus.PENDING)
    oldest = list(done.order_by("created_at").values_list("pk", flat=True)[:MAX_DELETED])
    Detection.objects.filter(pk__in=oldest).delete()


STEPS = (remove_unconfirmed_swaps, purge_removed, purge_uploads, purge_failed, sweep_stray)
