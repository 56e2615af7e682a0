"""The outbox: e-mail that waits to be handed to the mail server."""

import datetime
import uuid
from typing import ClassVar

from django.db import models
from django.db.models import F
from django.utils import timezone

LEASE = datetime.timedelta(seconds=120)  # an attempt that was cut off is made again after this
GIVE_UP_AFTER = datetime.timedelta(days=1)
FIRST_PAUSE, MAX_PAUSE = datetime.timedelta(seconds=5), datetime.timedelta(minutes=15)


class MailQuerySet(models.QuerySet["Mail"]):
    """Finds messages by what is to be done with them."""

    def due(self, now: datetime.datetime) -> "MailQuerySet":
        """Filter to messages whose next attempt is due."""
        return self.filter(next_attempt_at__lte=now)

    def needs_enqueue(self, now: datetime.datetime) -> "MailQuerySet":
        """Filter to due messages whose task was never enqueued or must be lost by now."""
        return self.due(now).exclude(enqueue_again_at__gt=now)

    def expired(self, now: datetime.datetime) -> "MailQuerySet":
        """Filter to messages that are given up, a day after they were written."""
        return self.filter(created_at__lte=now - GIVE_UP_AFTER)


class Mail(models.Model):
    """A rendered message with its envelope.

    It holds secret links, so the row is deleted once sent.
    """

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
        """Start an attempt if one is due; True for the caller that got it.

        An attempt that is cut off is due again when its lease has ended.
        """
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
        """Plan the next attempt after the claimed one failed; the pause doubles each time."""
        pause = min(FIRST_PAUSE * 2 ** min(self.attempts - 1, 10), MAX_PAUSE)
        Mail.objects.filter(pk=self.pk, attempts=self.attempts).update(
            next_attempt_at=now + pause, enqueue_again_at=None
        )
