"""Idempotency keys of API calls."""

import datetime

from django.conf import settings
from django.db import models
from django.utils import timezone

from swaps.models.swap import Swap

RETENTION = datetime.timedelta(hours=24)


class IdempotencyKey(models.Model):
    """Ties a client's idempotency key to its swap, so that a repeated call makes no other.

    Kept for 24 hours. ``body_digest`` tells a repeat from another request with the same key.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    body_digest = models.CharField(max_length=64)
    swap = models.ForeignKey(Swap, models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint("user", "key", name="idempotency_key_once")]

    def __str__(self) -> str:
        return self.key
