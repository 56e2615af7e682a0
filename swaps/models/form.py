from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from swaps.models.user import User


class FormCount(models.Model):
    """How many forms with photos an account sent in one minute."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    minute = models.DateTimeField(db_index=True)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint("user", "minute", name="form_count_of_a_minute")]

    def __str__(self) -> str:
        return f"{self.minute}: {self.count}"


class FormSubmissionQuerySet(models.QuerySet["FormSubmission"]):
    def claim(self, user: User, key: str, made: object) -> bool:
        """False when this form was sent before. In the transaction that makes what it asks for.

        The database picks the winner; the other one waits until that transaction ends.
        """
        _, is_new = self.get_or_create(user=user, key=key, defaults={"made": str(made)})
        return is_new


class FormSubmission(models.Model):
    """A form that made something. Sent again it makes nothing more, for 24 hours."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    key = models.CharField(max_length=64, help_text="Digest of the form's token and contents.")
    made = models.CharField(max_length=40, help_text="What it made: the id of a row.")
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    objects: ClassVar[FormSubmissionQuerySet] = FormSubmissionQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [models.UniqueConstraint("user", "key", name="form_submission_once")]

    def __str__(self) -> str:
        return self.key
