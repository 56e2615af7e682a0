"""Uploads: valid photos of a refused form, kept for the next try."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone


class Upload(models.Model):
    """A valid photo of a refused form, kept for a while so that it need not be chosen again."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    key = models.CharField(max_length=200)
    size = models.BigIntegerField(default=0, db_default=0, help_text="Of its files, in bytes.")
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return str(self.id)
