"""Detections: API calls that ask which faces a picture shows."""

import datetime
import uuid
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from swaps.models.api_key import ApiKey
from swaps.models.leased import Leased, LeasedFilters
from swaps.models.swap_states import UNFINISHED, Status
from swaps.models.user import User

# Longer than a callback is tried; see ``delivery.PAUSES``.
RETENTION = datetime.timedelta(days=2)


class DetectionQuerySet(LeasedFilters["Detection"]):
    """Filters detections by who may see them and what is to be done with them."""

    def visible_to(self, user: User) -> Self:
        """Filter to this person's own detections."""
        return self.filter(owner=user)


class Detection(Leased):
    """One request to find the faces of a picture, and its outcome. Free of charge.

    Its picture is stored only until it has been looked at.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    api_key = models.ForeignKey(ApiKey, models.SET_NULL, null=True, related_name="+")
    image_key = models.CharField(
        max_length=200, blank=True, help_text="Empty until it is fetched, and once it was seen."
    )
    stored_bytes = models.BigIntegerField(default=0, db_default=0)
    faces = models.JSONField(default=list)
    width = models.PositiveIntegerField(null=True, help_text="of the picture, in pixels")
    height = models.PositiveIntegerField(null=True, help_text="of the picture, in pixels")
    request = models.JSONField(help_text="The body of the call.")
    trace_id = models.CharField(max_length=32)
    callback_url = models.TextField(blank=True)

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

    def requeue_with_picture(self, key: str, size: int) -> bool:
        """Record its fetched picture and queue it for the engine, with all its attempts left."""
        changes = {"status": Status.QUEUED, "attempts": 0, "lease_expires_at": None}
        fetching = Detection.objects.filter(pk=self.pk, status=Status.PROCESSING, image_key="")
        moved = fetching.update(image_key=key, stored_bytes=size, **changes)
        self.refresh_from_db()
        return moved == 1

    def succeed(self, **found: Any) -> bool:
        """End the detection with what was found; its picture is not needed any more."""
        return self._move(UNFINISHED, status=Status.SUCCEEDED, **self._end_fields(), **found)

    def fail(self, *, code: str, params: Any) -> bool:
        """End the detection with an error code and a message for people."""
        end = self._end_fields()
        return self._move(
            UNFINISHED, status=Status.FAILED, error_code=code, error_params=params, **end
        )

    def _end_fields(self) -> dict[str, Any]:
        return super()._end_fields() | {"image_key": "", "stored_bytes": 0}
