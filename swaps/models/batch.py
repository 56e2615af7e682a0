"""Batches: one face for many photos, requested together."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F
from django.utils import timezone


class Batch(models.Model):
    """Up to 20 swaps that were requested together: one face, and a photo for each of them."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    name = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name_plural = "batches"
        indexes = [
            models.Index("owner", F("created_at").desc(), F("id").desc(), name="batch_history")
        ]

    def __str__(self) -> str:
        return self.name or str(self.pk)
