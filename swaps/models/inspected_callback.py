"""Callbacks that arrived at the inspector of the documentation page."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F
from django.utils import timezone


class InspectedCallback(models.Model):
    """A callback that a user had sent to the inspector; kept for a day."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    headers = models.JSONField()
    body = models.TextField()
    received_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        indexes = [models.Index("user", F("received_at").desc(), name="inspected_newest")]

    def __str__(self) -> str:
        return str(self.id)
