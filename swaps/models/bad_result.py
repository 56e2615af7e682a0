"""Bad results: what people said is wrong with a picture, and whether its swap was given back."""

import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F
from django.utils import timezone

from swaps.models.swap import Swap


class Reason(models.TextChoices):
    """What looks wrong."""

    WRONG_PERSON = "wrong_person", "It does not look like the person"
    WRONG_FACE = "wrong_face", "The wrong face was changed"
    BLEMISHES = "blemishes", "Stains, seams or strange colours"
    BLURRED = "blurred", "It is blurred"
    OTHER = "other", "Something else"


class BadResultQuerySet(models.QuerySet["BadResult"]):
    """Counts reports."""

    def count_refunded(self, swap: Swap, since: datetime.datetime) -> int:
        """Return how many swaps of the same owner and door were given back since then."""
        given_back = self.filter(owner=swap.owner_id, created_at__gte=since, is_refunded=True)
        return given_back.filter(swap__door=swap.door).count()


class BadResult(models.Model):
    """One report of its owner that the result of a swap looks wrong; one for each swap."""

    swap = models.OneToOneField(Swap, models.CASCADE, related_name="bad_result")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    reason = models.CharField(max_length=12, choices=Reason)
    is_refunded = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[BadResultQuerySet] = BadResultQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        indexes = [
            models.Index("owner", "created_at", name="bad_result_month"),
            models.Index(F("created_at").desc(), name="bad_result_newest"),
        ]

    def __str__(self) -> str:
        return self.get_reason_display()
