"""Deliveries: our signed POSTs to the callback URLs of API clients, and every attempt at one."""

import datetime
import random
import uuid
from typing import Any, ClassVar, cast

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from swaps import messages
from swaps.models.detection import Detection
from swaps.models.swap import Swap

MINUTE, HOUR = 60, 3600
# Seconds between the attempts: 11 of them within 25 to 31 hours.
PAUSES = (5, 30, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE, *(n * HOUR for n in (1, 2, 4, 6, 12)))
JITTER = 0.2  # up to this share longer, so that what failed together is not retried together
LEASE = datetime.timedelta(seconds=60)  # an attempt that was cut off is made again after this
MAX_ATTEMPTS = 100  # kept of one delivery


class DeliveryStatus(models.TextChoices):
    """Where a delivery stands. ``GONE``: the receiver answered 410 and wants no more of them."""

    PENDING = "pending"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up", "Given up"
    GONE = "gone"


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    """Finds deliveries by what is to be done with them."""

    def due(self, now: datetime.datetime) -> "DeliveryQuerySet":
        """Filter to deliveries whose next attempt is due."""
        return self.filter(status=DeliveryStatus.PENDING, next_attempt_at__lte=now)

    def needs_enqueue(self, now: datetime.datetime) -> "DeliveryQuerySet":
        """Filter to due deliveries whose task was never enqueued or must be lost by now."""
        return self.due(now).exclude(enqueue_again_at__gt=now)

    def newest_first(self) -> "DeliveryQuerySet":
        return self.order_by("-created_at", "-id")


class Delivery(models.Model):
    """The delivery of the outcome of one swap, or of one detection, to its callback URL.

    It is created in the transaction that ends the swap, so none is lost.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    swap = models.OneToOneField(Swap, models.CASCADE, null=True, related_name="delivery")
    detection = models.OneToOneField(Detection, models.CASCADE, null=True, related_name="delivery")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    url = models.TextField()
    status = models.CharField(max_length=9, choices=DeliveryStatus, default=DeliveryStatus.PENDING)
    failures = models.PositiveSmallIntegerField(
        default=0, help_text="since it was last (re)started"
    )
    attempts_made = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, default=timezone.now)
    enqueue_again_at = models.DateTimeField(
        null=True, help_text="Its next attempt is enqueued, and until then it is not lost."
    )
    last_status = models.PositiveSmallIntegerField(null=True, help_text="HTTP status")
    last_error = models.CharField(max_length=300, blank=True)  # earlier versions kept English
    error_params = models.JSONField(null=True)  # for ``messages.text``
    response_excerpt = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    delivered_at = models.DateTimeField(null=True)

    objects: ClassVar[DeliveryQuerySet] = DeliveryQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name_plural = "deliveries"
        indexes = [
            models.Index(
                "next_attempt_at", name="delivery_due", condition=Q(status=DeliveryStatus.PENDING)
            ),
            models.Index("owner", F("created_at").desc(), F("id").desc(), name="delivery_log"),
            models.Index(F("created_at").desc(), F("id").desc(), name="delivery_newest"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(swap__isnull=True) ^ Q(detection__isnull=True),
                name="delivery_of_one_task",
            )
        ]

    def __str__(self) -> str:
        return self.message_id

    @property
    def task(self) -> Swap | Detection:
        """What it tells the outcome of."""
        return self.swap or cast("Detection", self.detection)  # a constraint of the table

    @property
    def task_id(self) -> uuid.UUID:
        return self.swap_id or cast("uuid.UUID", self.detection_id)

    @property
    def message_id(self) -> str:
        """The ``webhook-id``, the same for every attempt so that receivers recognise repeats."""
        return f"msg_{self.pk.hex}"

    @property
    def error_text(self) -> str:
        """The message that tells people why the last attempt failed; "" if it did not."""
        return messages.text(self.error_params) if self.error_params else self.last_error

    @property
    def is_pending(self) -> bool:
        return self.status == DeliveryStatus.PENDING

    def claim(self, now: datetime.datetime) -> bool:
        """Start an attempt if one is due; True for the caller that got it.

        An attempt that is cut off is due again when its lease has ended.
        """
        claimed = Delivery.objects.due(now).filter(pk=self.pk)
        ends_at = now + LEASE
        if not claimed.update(
            next_attempt_at=ends_at,
            enqueue_again_at=ends_at,
            attempts_made=F("attempts_made") + 1,
        ):
            return False
        self.refresh_from_db()
        return True

    def end(self, status: DeliveryStatus, **changes: Any) -> None:
        """End the delivery with the claimed attempt: no further one follows."""
        self._settle(status=status, next_attempt_at=None, enqueue_again_at=None, **changes)

    def postpone(self, now: datetime.datetime, **changes: Any) -> None:
        """Record that the claimed attempt failed: plan the next one, or give up after the last."""
        failures = self.failures + 1
        pause = backoff(failures)
        if pause is None:
            self.end(DeliveryStatus.GIVEN_UP, failures=failures, **changes)
            return
        self._settle(
            failures=failures, next_attempt_at=now + pause, enqueue_again_at=None, **changes
        )

    def replay(self, now: datetime.datetime) -> bool:
        """Start all attempts over, unless one is under way at this moment.

        True when that was done.
        """
        replayed = Delivery.objects.filter(pk=self.pk).exclude(enqueue_again_at__gt=now)
        if not replayed.update(
            status=DeliveryStatus.PENDING,
            next_attempt_at=now,
            enqueue_again_at=now + LEASE,
            failures=0,
        ):
            return False
        self.refresh_from_db()
        return True

    def delete_old_attempts(self) -> None:
        """Keep the newest ``MAX_ATTEMPTS`` attempts only: replays must not fill the disk."""
        if self.attempts_made > MAX_ATTEMPTS:
            old = self.attempts.order_by("-started_at", "-id")[MAX_ATTEMPTS:]
            DeliveryAttempt.objects.filter(pk__in=list(old.values_list("pk", flat=True))).delete()

    def _settle(self, **changes: Any) -> None:
        """Update the row for the claimed attempt.

        Do nothing if another attempt or a replay came after.
        """
        Delivery.objects.filter(
            pk=self.pk,
            status=DeliveryStatus.PENDING,
            attempts_made=self.attempts_made,
            failures=self.failures,
        ).update(**changes)
        self.refresh_from_db()


class DeliveryAttempt(models.Model):
    """One attempt: when it started, how long it took, and what the receiver answered."""

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="attempts")
    started_at = models.DateTimeField()
    seconds = models.FloatField()
    status = models.PositiveSmallIntegerField(null=True, help_text="HTTP status, if there was one")
    error = models.CharField(max_length=300, blank=True)  # earlier versions kept English
    error_params = models.JSONField(null=True)  # for ``messages.text``
    response_excerpt = models.TextField(blank=True)

    class Meta:
        indexes = [models.Index("delivery", "started_at", name="delivery_attempts")]

    def __str__(self) -> str:
        return f"{self.started_at}: {self.status or self.error_text}"

    @property
    def error_text(self) -> str:
        """The message that tells people why it failed; "" if it did not."""
        return messages.text(self.error_params) if self.error_params else self.error


def backoff(failures: int) -> datetime.timedelta | None:
    """Return the pause after this many failures, with jitter; None when it is time to give up."""
    if failures > len(PAUSES):
        return None
    seconds = PAUSES[failures - 1] * random.uniform(1, 1 + JITTER)  # noqa: S311
    return datetime.timedelta(seconds=seconds)
