"""The states of a swap, and who may perform it."""

from django.db import models


class Provider(models.TextChoices):
    """Who performs a swap: the site's own engine, or a hosted provider."""

    EMBEDDED = "embedded"
    HOSTED = "hosted"


class Status(models.TextChoices):
    """How far a swap has come."""

    QUEUED = "queued"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REMOVED = "removed"


UNFINISHED = (Status.QUEUED, Status.PROCESSING)
NOT_REMOVED = (*UNFINISHED, Status.SUCCEEDED, Status.FAILED)
