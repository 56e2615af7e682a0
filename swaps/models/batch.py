"""Batches: one face for many photos, requested together."""

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone

from swaps.models.labels import MAX_NAME, clean_name
from swaps.models.swap_states import Status


class Batch(models.Model):
    """Up to 20 swaps that were requested together: one face, and a photo for each of them."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    name = models.CharField(max_length=MAX_NAME, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name_plural = "batches"

    def __str__(self) -> str:
        return self.name or str(self.pk)

    def rename(self, name: str) -> None:
        """Give it this name; an empty one takes its name away."""
        self.name = clean_name(name)
        self.save(update_fields=["name"])

    def release_failed(self, swap: models.Model) -> bool:
        """Take a failed swap out, for another one in its place; True for the first caller only."""
        swaps: Any = self.swaps
        return bool(swaps.filter(pk=swap.pk, status=Status.FAILED).update(batch=None) == 1)
