"""What the clock does: queue the crashed again, end the hopeless, purge what has had its time.

Two clocks at once do no harm: every step is a compare-and-set. A row that cannot be dealt with is
logged and holds up none of the others.
"""

import datetime
import logging
from collections.abc import Callable, Iterable
from typing import TypeVar

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q

from swaps import deliveries, errors, inspector, mail, services, storage, storage_space
from swaps.models import (
    ApiKeyUse,
    CallCount,
    Delivery,
    DeliveryStatus,
    FormCount,
    FormSubmission,
    HostedProvider,
    IdempotencyKey,
    InspectedCallback,
    Mail,
    Performer,
    ProviderCallback,
    Stage,
    Status,
    Submission,
    Swap,
    Upload,
    User,
)
from swaps.models.delivery import LEASE
from swaps.models.idempotency_key import KEPT
from swaps.models.mail import LEASE as MAIL_LEASE
from swaps.submissions import patience, queue

BATCH = 50
MOST_FORGOTTEN = 500  # of each kind, a minute
MOST_PARKED = 1000  # by one statement
KEPT_CALLBACKS = datetime.timedelta(days=30)  # as a hosted provider posted them
KEPT_LOG = datetime.timedelta(days=90)  # of callbacks and of the uses of keys

log = logging.getLogger(__name__)
Row = TypeVar("Row", bound=models.Model)


def recover_overdue(now: datetime.datetime) -> None:
    """A claimed swap whose lease is over: try again, or fail it after the last attempt."""

    def recover(swap: Swap) -> None:
        if swap.attempts >= settings.FACESWAP_MAX_ATTEMPTS:
            services.settle(swap, errors.ApiError("Something broke on our side. Please try again."))
            return
        with transaction.atomic():
            if swap.requeue(now):
                services.enqueue(swap)

    each_row(Swap.objects.overdue(now).order_by("lease_expires_at")[:BATCH], recover)


def requeue_forgotten(now: datetime.datetime) -> None:
    """Queued for long and never started: its task may be lost, another one does no harm.

    ``lease_expires_at`` says when to do so again; the pause grows with the age of the swap, so
    that a long queue gets few needless tasks.
    """
    lease = datetime.timedelta(seconds=settings.FACESWAP_LEASE_SECONDS)
    waiting = Swap.objects.unfinished().filter(status=Status.QUEUED, created_at__lte=now - lease)
    # Those of a hosted provider are looked after by ``enqueue_submissions``, once they have begun.
    waiting = waiting.filter(Q(provider=Performer.EMBEDDED) | Q(source_key="") | Q(target_key=""))
    forgotten = waiting.exclude(lease_expires_at__gt=now)

    def enqueue(swap: Swap) -> None:
        pause = max(lease, now - swap.created_at)
        with transaction.atomic():
            if forgotten.filter(pk=swap.pk).update(lease_expires_at=now + pause) == 1:
                services.enqueue(swap)

    each_row(forgotten.order_by("created_at")[:BATCH], enqueue)


def purge_removed(now: datetime.datetime) -> None:
    """Delete the files of removed swaps once more, in case a worker stored one meanwhile."""
    settled = now - datetime.timedelta(seconds=2 * settings.FACESWAP_LEASE_SECONDS)
    removed = Swap.objects.filter(
        status=Status.REMOVED, is_purged=False, finished_at__lte=settled
    ).order_by("finished_at")

    def purge(swap: Swap) -> None:
        storage.delete(swap.keys)
        swap.purge(Status.REMOVED)

    each_row(removed[:BATCH], purge)


def forget_swaps(now: datetime.datetime) -> None:
    """Delete the swaps from before an account's address was confirmed, and their deliveries."""

    def forget(user: User) -> None:
        swaps = Swap.objects.filter(owner=user, created_at__lte=user.forget_swaps_before)
        visible = swaps.exclude(status=Status.REMOVED).order_by("created_at")
        each_row(visible[:BATCH], services.remove)
        sent = Delivery.objects.filter(owner=user, swap__in=swaps)
        each_row(sent.order_by("created_at")[:BATCH], lambda delivery: delivery.delete())
        if not visible.exists() and not sent.exists():
            User.objects.filter(pk=user.pk).update(forget_swaps_before=None)

    each_row(User.objects.filter(forget_swaps_before__isnull=False)[:BATCH], forget)


def purge_uploads(now: datetime.datetime) -> None:
    """Kept photos of refused forms have had their time."""
    born = now - datetime.timedelta(hours=settings.FACESWAP_KEPT_UPLOAD_HOURS)
    each_row(
        Upload.objects.filter(created_at__lte=born).order_by("created_at")[:BATCH],
        lambda upload: upload.delete(),
    )


def enqueue_deliveries(now: datetime.datetime) -> None:
    """Callbacks whose next attempt is due. As of swaps, the pause grows while nobody comes."""

    def enqueue(delivery: Delivery) -> None:
        pause = max(LEASE, now - (delivery.next_attempt_at or now))
        mine = Delivery.objects.forgotten(now).filter(pk=delivery.pk)
        with transaction.atomic():
            if mine.update(enqueue_again_at=now + pause):
                deliveries.enqueue(delivery)

    each_row(Delivery.objects.forgotten(now).order_by("next_attempt_at")[:BATCH], enqueue)


def enqueue_mail(now: datetime.datetime) -> None:
    """Mail whose next attempt is due; what has waited for a day is given up."""
    given_up, _ = Mail.objects.filter(
        pk__in=Mail.objects.expired(now).values_list("pk")[:BATCH]
    ).delete()
    if given_up:
        log.error(
            "mail: %d messages given up, the mail server did not take them for a day", given_up
        )

    def enqueue(waiting: Mail) -> None:
        with transaction.atomic():
            mine = Mail.objects.lost(now).filter(pk=waiting.pk)
            if mine.update(enqueue_again_at=now + max(MAIL_LEASE, now - waiting.next_attempt_at)):
                mail.enqueue(waiting)

    each_row(Mail.objects.lost(now).order_by("next_attempt_at")[:BATCH], enqueue)


def enqueue_submissions(now: datetime.datetime) -> None:
    """Swaps of the hosted provider whose next step is due."""
    queue.send_next(now)
    others = Submission.objects.forgotten(now).filter(stage__in=(Stage.SENT, Stage.ANSWERED))
    others = others.order_by("due_at")
    each_row(others[:BATCH], lambda submission: queue.enqueue_again(submission, now))


def park_waiting(_now: datetime.datetime) -> None:
    """Swaps that wait for the hosted provider say whether it is because that is down."""
    is_down = HostedProvider.objects.now().is_down
    waiting = Swap.objects.unfinished().filter(status=Status.QUEUED, is_parked=not is_down)
    if is_down:
        waiting = waiting.filter(submission__stage=Stage.NEW)
    with transaction.atomic():
        locked = waiting.select_for_update(of=("self",)).order_by("pk")[:MOST_PARKED]
        Swap.objects.filter(pk__in=[swap.pk for swap in locked]).update(is_parked=is_down)


def give_up_waiting(now: datetime.datetime) -> None:
    """What could not be sent to the hosted provider for so long is given back."""
    latest = now - patience.MOST_WAIT
    waiting = Submission.objects.open().filter(stage=Stage.NEW, created_at__lte=latest)
    each_row(waiting.select_related("swap").order_by("due_at")[:BATCH], patience.give_up)


def forget_calls(now: datetime.datetime) -> None:
    """What is kept of calls for a while only."""
    log_ends_at = now - KEPT_LOG
    ApiKeyUse.objects.filter(day__lt=log_ends_at.date()).delete()
    Delivery.objects.exclude(status=DeliveryStatus.PENDING).filter(
        created_at__lte=log_ends_at
    ).delete()
    InspectedCallback.objects.filter(received_at__lte=now - inspector.KEPT).delete()
    ProviderCallback.objects.filter(received_at__lte=now - KEPT_CALLBACKS).delete()


def forget_forms(now: datetime.datetime) -> None:
    """What makes forms and calls count once, and what counts them; a number of rows at a time."""
    an_hour_ago = now - datetime.timedelta(hours=1)
    for old in (
        IdempotencyKey.objects.filter(created_at__lte=now - KEPT),
        FormSubmission.objects.filter(created_at__lte=now - KEPT),
        CallCount.objects.filter(minute__lte=an_hour_ago),
        FormCount.objects.filter(minute__lte=an_hour_ago),
    ):
        oldest = list(old.values_list("pk", flat=True)[:MOST_FORGOTTEN])
        old.filter(pk__in=oldest).delete()


def each_row(rows: Iterable[Row], deal_with: Callable[[Row], object]) -> None:
    """One that cannot be dealt with holds up none of the others; a full disk holds up all."""
    for row in rows:
        try:
            deal_with(row)
        except Exception as error:
            if storage_space.is_full(error):
                raise
            log.exception("%s=%s could not be dealt with", type(row).__name__, row.pk)


STEPS = (
    recover_overdue,
    requeue_forgotten,
    enqueue_deliveries,
    enqueue_mail,
    enqueue_submissions,
    park_waiting,
    give_up_waiting,
    forget_swaps,
    purge_removed,
    purge_uploads,
)


def tick(now: datetime.datetime) -> None:
    """One beat of the clock, all steps."""
    for step in STEPS:
        step(now)
