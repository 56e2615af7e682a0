"""Bad results: what people said is wrong with a picture, and whether its swap was given back."""

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


class BadResult(models.Model):
    """One report of its owner that the result of a swap looks wrong; one for each swap."""

    swap = models.OneToOneField(Swap, models.CASCADE, related_name="bad_result")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    reason = models.CharField(max_length=12, choices=Reason)
    is_refunded = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        indexes = [
            models.Index("owner", "created_at", name="bad_result_month"),
            models.Index(F("created_at").desc(), name="bad_result_newest"),
        ]

    def __str__(self) -> str:
        return self.get_reason_display()
