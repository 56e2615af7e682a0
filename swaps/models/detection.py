"""Detections: API calls that ask which faces a picture shows."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from swaps.models.api_key import ApiKey
from swaps.models.swap_states import UNFINISHED, Status


class DetectionQuerySet(models.QuerySet["Detection"]):
    """Filters detections by what is to be done with them."""

    def unfinished(self) -> "DetectionQuerySet":
        return self.filter(status__in=UNFINISHED, finished_at__isnull=True)


class Detection(models.Model):
    """One request to find the faces of a picture, and its outcome. Free of charge.

    Its picture is stored only until it has been looked at.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    api_key = models.ForeignKey(ApiKey, models.SET_NULL, null=True, related_name="+")
    status = models.CharField(max_length=10, choices=Status, default=Status.QUEUED)
    image_key = models.CharField(max_length=200, blank=True)
    stored_bytes = models.BigIntegerField(default=0, db_default=0)
    faces = models.JSONField(default=list)
    width = models.PositiveIntegerField(null=True, help_text="of the picture, in pixels")
    height = models.PositiveIntegerField(null=True, help_text="of the picture, in pixels")
    error_code = models.CharField(max_length=40, blank=True)
    error_params = models.JSONField(null=True)  # for ``messages.text``
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_expires_at = models.DateTimeField(null=True)
    request = models.JSONField(help_text="The body of the call.")
    trace_id = models.CharField(max_length=32)
    callback_url = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects: ClassVar[DetectionQuerySet] = DetectionQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        indexes = [
            models.Index("created_at", name="detection_oldest"),
            models.Index(
                "status",
                "lease_expires_at",
                name="detection_unfinished",
                condition=Q(finished_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)
