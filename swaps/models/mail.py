"""Mail that waits to be handed to the mail server."""

import datetime
import uuid
from typing import ClassVar

from django.db import models
from django.db.models import F
from django.utils import timezone

LEASE = datetime.timedelta(seconds=120)  # an attempt that was cut off is made again after this
KEPT = datetime.timedelta(days=1)  # then it is given up
FIRST_PAUSE, MAX_PAUSE = datetime.timedelta(seconds=5), datetime.timedelta(minutes=15)


class MailQuerySet(models.QuerySet["Mail"]):
    def due(self, now: datetime.datetime) -> "MailQuerySet":
        return self.filter(next_attempt_at__lte=now)

    def lost(self, now: datetime.datetime) -> "MailQuerySet":
        """Due, and not in the queue; or in it for so long that its task may be lost."""
        return self.due(now).exclude(enqueue_again_at__gt=now)

    def expired(self, now: datetime.datetime) -> "MailQuerySet":
        return self.filter(created_at__lte=now - KEPT)


class Mail(models.Model):
    """A rendered message and its envelope. Links in it are secrets: once sent, the row is gone."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    sender = models.CharField(max_length=320)
    recipients = models.JSONField()
    message = models.BinaryField()
    attempts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)
    next_attempt_at = models.DateTimeField(default=timezone.now, db_index=True)
    enqueue_again_at = models.DateTimeField(
        null=True, help_text="Its next attempt is enqueued, and until then it is not lost."
    )

    objects: ClassVar[MailQuerySet] = MailQuerySet.as_manager()  # type: ignore[assignment]

    def __str__(self) -> str:
        return str(self.pk)

    def claim(self, now: datetime.datetime) -> bool:
        """Start an attempt, if one is due. One that never comes back is due again after a lease."""
        ends_at = now + LEASE
        if (
            not Mail.objects.due(now)
            .filter(pk=self.pk)
            .update(next_attempt_at=ends_at, enqueue_again_at=ends_at, attempts=F("attempts") + 1)
        ):
            return False
        self.refresh_from_db()
        return True

    def postpone(self, now: datetime.datetime) -> None:
        """The claimed attempt failed: again after a pause that doubles each time."""
        pause = min(FIRST_PAUSE * 2 ** min(self.attempts - 1, 10), MAX_PAUSE)
        Mail.objects.filter(pk=self.pk, attempts=self.attempts).update(
            next_attempt_at=now + pause, enqueue_again_at=None
        )
