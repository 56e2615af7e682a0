"""Recovery: enqueues again what was cut off, lost or is due.

Each step is bounded, and may be done twice or by two clocks at once.
"""

import datetime
import logging
from collections.abc import Callable
from typing import TypeVar

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from swaps import errors, queue
from swaps.clock.rows import BATCH, for_each_row
from swaps.hosted.retry_policy import MAX_WAIT, give_up
from swaps.hosted.schedule import enqueue_due, enqueue_waiting
from swaps.lifecycle import detect
from swaps.lifecycle.enqueue import enqueue_next
from swaps.lifecycle.settle import settle
from swaps.models import (
    Delivery,
    Detection,
    HostedProvider,
    Mail,
    Provider,
    Stage,
    Status,
    Submission,
    Swap,
    Upload,
)
from swaps.models.delivery import LEASE
from swaps.models.leased import LeasedFilters
from swaps.models.mail import LEASE as MAIL_LEASE

MAX_PARKED = 1000  # by one statement
MAX_SMALL_COPIES = 10  # swaps in the queue at once

log = logging.getLogger(__name__)
Row = TypeVar("Row", Swap, Detection)


def recover_swaps(now: datetime.datetime) -> None:
    """Requeue swaps whose attempt was cut off, and those whose task must be lost."""
    _recover_overdue(Swap.objects.all(), now, enqueue_next, settle)
    # Those at a hosted provider are enqueued by ``enqueue_submissions`` once they have pictures.
    ours = Q(provider=Provider.EMBEDDED) | Q(source_key="") | Q(target_key="")
    _requeue_stalled(Swap.objects.filter(ours), now, enqueue_next)


def recover_detections(now: datetime.datetime) -> None:
    """Requeue detections whose attempt was cut off, and those whose task must be lost."""
    _recover_overdue(Detection.objects.all(), now, detect.enqueue_next, detect.settle)
    _requeue_stalled(Detection.objects.all(), now, detect.enqueue_next)


def _recover_overdue(
    rows: LeasedFilters[Row],
    now: datetime.datetime,
    enqueue_next: Callable[[Row], None],
    settle: Callable[[Row, errors.SwapError], None],
) -> None:
    """Requeue claimed rows whose lease is over; fail them after the last attempt."""

    def recover(row: Row) -> None:
        if row.attempts >= settings.FACESWAP_MAX_ATTEMPTS:
            settle(row, errors.ApiError("gave_up"))
            return
        with transaction.atomic():
            if row.requeue_expired(now):
                enqueue_next(row)

    for_each_row(rows.overdue(now).order_by("lease_expires_at")[:BATCH], recover)


def _requeue_stalled(
    rows: LeasedFilters[Row], now: datetime.datetime, enqueue_next: Callable[[Row], None]
) -> None:
    """Enqueue another task for rows that were queued long ago and never started.

    Their tasks may be lost; another one does no harm. ``lease_expires_at`` is when that is done
    next: the pause grows with the age of the row, so that a long queue gets few needless tasks.
    """
    lease = datetime.timedelta(seconds=settings.FACESWAP_LEASE_SECONDS)
    waiting = rows.unfinished().filter(status=Status.QUEUED, created_at__lte=now - lease)
    stalled = waiting.exclude(lease_expires_at__gt=now)

    def enqueue(row: Row) -> None:
        pause = max(lease, now - row.created_at)
        with transaction.atomic():
            if stalled.filter(pk=row.pk).update(lease_expires_at=now + pause) == 1:
                enqueue_next(row)

    for_each_row(stalled.order_by("created_at")[:BATCH], enqueue)


def enqueue_small_copies(now: datetime.datetime) -> None:
    """Enqueue the small copies that the pictures of earlier versions lack, a few swaps at a time.

    Those at work stay among the first few until they are done, so that the queue never gets long.
    """

    def enqueue(swap: Swap) -> None:
        with transaction.atomic():
            if swap.renew_small_copies_lease(now):
                queue.enqueue("make_small_copies", swap.pk)

    for_each_row(Swap.objects.without_small_copies().order_by("pk")[:MAX_SMALL_COPIES], enqueue)


def look_again(now: datetime.datetime) -> None:
    """Enqueue again the photos that nobody has looked at in time; give up after some attempts."""

    def look(upload: Upload) -> None:
        if upload.attempts >= settings.FACESWAP_MAX_ATTEMPTS:
            upload.give_up_looking()
            return
        with transaction.atomic():
            if upload.renew_lease(now):
                queue.enqueue("look_at_photo", upload.pk)

    unseen = Upload.objects.filter(lease_expires_at__lte=now).order_by("lease_expires_at")
    for_each_row(unseen[:BATCH], look)


def enqueue_deliveries(now: datetime.datetime) -> None:
    """Enqueue the deliveries whose next attempt is due; the pause grows while none is made."""

    def enqueue(delivery: Delivery) -> None:
        pause = max(LEASE, now - (delivery.next_attempt_at or now))
        mine = Delivery.objects.needs_enqueue(now).filter(pk=delivery.pk)
        with transaction.atomic():
            if mine.update(enqueue_again_at=now + pause):
                queue.enqueue("deliver_callback", delivery.pk)

    for_each_row(Delivery.objects.needs_enqueue(now).order_by("next_attempt_at")[:BATCH], enqueue)


def enqueue_mail(now: datetime.datetime) -> None:
    """Enqueue the mail whose next attempt is due; give up what has waited for a day."""
    given_up, _ = Mail.objects.filter(
        pk__in=Mail.objects.expired(now).values_list("pk")[:BATCH]
    ).delete()
    if given_up:
        log.error(
            "mail: %d messages given up, the mail server did not take them for a day", given_up
        )

    def enqueue(waiting: Mail) -> None:
        with transaction.atomic():
            mine = Mail.objects.needs_enqueue(now).filter(pk=waiting.pk)
            if mine.update(enqueue_again_at=now + max(MAIL_LEASE, now - waiting.next_attempt_at)):
                queue.enqueue("send_mail", waiting.pk)

    for_each_row(Mail.objects.needs_enqueue(now).order_by("next_attempt_at")[:BATCH], enqueue)


def enqueue_submissions(now: datetime.datetime) -> None:
    """Enqueue the next step of the hosted provider's swaps that are due."""
    enqueue_waiting(now)
    others = Submission.objects.needs_enqueue(now).filter(stage__in=(Stage.SENT, Stage.ANSWERED))
    others = others.order_by("due_at")
    for_each_row(others[:BATCH], lambda submission: enqueue_due(submission, now))


def park_waiting(_now: datetime.datetime) -> None:
    """Mark the swaps that wait for the hosted provider as parked while it is down."""
    is_down = HostedProvider.objects.current().is_down
    waiting = Swap.objects.unfinished().filter(status=Status.QUEUED, is_parked=not is_down)
    if is_down:
        waiting = waiting.filter(submission__stage=Stage.NEW)
    with transaction.atomic():
        locked = waiting.select_for_update(of=("self",)).order_by("pk")[:MAX_PARKED]
        Swap.objects.filter(pk__in=[swap.pk for swap in locked]).update(is_parked=is_down)


def give_up_waiting(now: datetime.datetime) -> None:
    """Fail the swaps that could not be sent to the hosted provider for ``MAX_WAIT``."""
    latest = now - MAX_WAIT
    waiting = Submission.objects.open().filter(stage=Stage.NEW, created_at__lte=latest)
    for_each_row(waiting.select_related("swap").order_by("due_at")[:BATCH], give_up)


STEPS = (
    recover_swaps,
    recover_detections,
    enqueue_small_copies,
    look_again,
    enqueue_deliveries,
    enqueue_mail,
    enqueue_submissions,
    park_waiting,
    give_up_waiting,
)
