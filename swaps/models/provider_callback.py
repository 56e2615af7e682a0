"""The log of callbacks from the hosted provider, which staff read in the admin."""

import datetime
import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from swaps.models.swap import Swap
from swaps.redaction import hide_secrets, scrub

MAX_PER_SWAP = 20  # whoever knows the URL of a callback must not fill the disk

RETENTION = datetime.timedelta(days=30)


class Verdict(models.TextChoices):
    """What was done with a callback."""

    ACCEPTED = "accepted"
    REPEATED = "repeated"
    LATE = "late", "Too late"
    OTHER_TASK = "other_task", "Of another task"
    NOT_UNDERSTOOD = "not_understood", "Not understood"
    REMOVED = "removed", "Of a removed swap"


class ProviderCallbackQuerySet(models.QuerySet["ProviderCallback"]):
    """Writes the log of callbacks."""

    def record(
        self, swap_id: uuid.UUID, verdict: Verdict, body: str, received_at: datetime.datetime
    ) -> None:
        """Store a callback without its secrets, up to ``MAX_PER_SWAP`` of one swap."""
        if self.filter(swap_id=swap_id).count() < MAX_PER_SWAP:
            self.create(
                swap_id=swap_id,
                received_at=received_at,
                verdict=verdict,
                body=scrub(hide_secrets(body), settings.FACESWAP_HOSTED_KEY),
            )


class ProviderCallback(models.Model):
    """A callback as the provider posted it, without its secrets; kept for ``RETENTION``."""

    swap = models.ForeignKey(Swap, models.CASCADE, related_name="callbacks")
    received_at = models.DateTimeField(default=timezone.now, db_index=True)
    verdict = models.CharField(max_length=14, choices=Verdict)
    body = models.TextField()

    objects: ClassVar[ProviderCallbackQuerySet] = ProviderCallbackQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = "callback of the provider"
        verbose_name_plural = "callbacks of the provider"

    def __str__(self) -> str:
        return f"{self.received_at:%Y-%m-%d %H:%M:%S} {self.verdict}"
