"""What a hosted provider posted to us, for staff."""

import datetime
import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from swaps.models.swap import Swap
from swaps.redaction import hide_secrets, scrub

MAX_KEPT = 20  # of one swap: whoever has its URL fills no disk

KEPT = datetime.timedelta(days=30)  # as the provider posted them


class Verdict(models.TextChoices):
    """What became of a callback."""

    ACCEPTED = "accepted"
    REPEATED = "repeated"
    LATE = "late", "Too late"
    OTHER_TASK = "other_task", "Of another task"
    NOT_UNDERSTOOD = "not_understood", "Not understood"
    REMOVED = "removed", "Of a removed swap"


class ProviderCallbackQuerySet(models.QuerySet["ProviderCallback"]):
    def keep(
        self, swap_id: uuid.UUID, verdict: Verdict, body: str, received_at: datetime.datetime
    ) -> None:
        if self.filter(swap_id=swap_id).count() < MAX_KEPT:
            self.create(
                swap_id=swap_id,
                received_at=received_at,
                verdict=verdict,
                body=scrub(hide_secrets(body), settings.FACESWAP_API_KEY),
            )


class ProviderCallback(models.Model):
    """What a provider posted, word for word but for its secrets; kept for a while, for staff."""

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
