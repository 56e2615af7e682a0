"""Uploads: photos that a person sent and no swap has used yet, with what they show."""

import datetime
import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone


class Look(models.TextChoices):
    """How far a photo has been looked at."""

    LOOKING = "looking"  # a worker is to find its faces
    READY = "ready"
    REFUSED = "refused"  # it shows no face


class UploadQuerySet(models.QuerySet["Upload"]):
    """Filters photos by why they are here."""

    def passing(self) -> "UploadQuerySet":
        """Filter to photos that are here for a while only."""
        return self.filter(is_kept=False)

    def my_faces(self) -> "UploadQuerySet":
        """Filter to photos that their owner keeps on purpose, newest first."""
        return self.filter(is_kept=True).order_by("-created_at")


class Upload(models.Model):
    """A photo that was sent ahead of its swap, or is kept to be used again ("My faces").

    ``faces`` are boxes relative to the picture as ``/face/detect`` answers them, largest first.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    key = models.CharField(max_length=200)
    size = models.BigIntegerField(default=0, db_default=0, help_text="Of its files, in bytes.")
    width = models.PositiveIntegerField(null=True, help_text="in pixels")
    height = models.PositiveIntegerField(null=True, help_text="in pixels")
    look = models.CharField(max_length=7, choices=Look, default=Look.LOOKING, db_default="ready")
    faces = models.JSONField(default=list, db_default=[])
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    lease_expires_at = models.DateTimeField(null=True, help_text="Set until it was looked at.")
    is_kept = models.BooleanField(default=False, db_default=False, help_text="One of My faces.")
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    objects: ClassVar[UploadQuerySet] = UploadQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        indexes = [
            models.Index(
                "lease_expires_at",
                name="upload_unseen",
                condition=Q(lease_expires_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return str(self.id)

    def record_look(self, *, width: int, height: int, faces: list[Any]) -> None:
        """Record what a worker saw; the same again does no harm."""
        look = Look.READY if faces else Look.REFUSED
        self._end(look=look, width=width, height=height, faces=faces)

    def give_up_looking(self) -> None:
        """Let the photo be used unseen: nobody could look at it."""
        self._end(look=Look.READY)

    def renew_lease(self, now: datetime.datetime) -> bool:
        """Start another attempt at looking; True for exactly one of racing callers."""
        unseen = Upload.objects.filter(pk=self.pk, lease_expires_at__lte=now)
        return unseen.update(attempts=F("attempts") + 1, lease_expires_at=lease_end(now)) == 1

    def _end(self, **changes: Any) -> None:
        Upload.objects.filter(pk=self.pk).update(lease_expires_at=None, **changes)


def lease_end(now: datetime.datetime) -> datetime.datetime:
    """Return until when a worker may take to look at a photo that is enqueued now."""
    return now + datetime.timedelta(seconds=settings.FACESWAP_LEASE_SECONDS)
