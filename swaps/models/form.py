"""Web forms that were sent already: a form that is sent twice does its work once."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from swaps.models.user import User


class FormSubmissionQuerySet(models.QuerySet["FormSubmission"]):
    """Makes sure that a form which is sent twice does its work once."""

    def claim(self, user: User, key: str, made: object) -> bool:
        """Record a form with what it made; False when the same form was sent before.

        Call it in the transaction that makes the thing: a second sender waits for that one to end.
        """
        _, is_new = self.get_or_create(user=user, key=key, defaults={"made": str(made)})
        return is_new


class FormSubmission(models.Model):
    """A form that made something; sent again within 24 hours it makes nothing more."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    key = models.CharField(max_length=64, help_text="Digest of the form's token and contents.")
    made = models.CharField(max_length=40, help_text="What it made: the id of a row.")
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    objects: ClassVar[FormSubmissionQuerySet] = FormSubmissionQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [models.UniqueConstraint("user", "key", name="form_submission_once")]

    def __str__(self) -> str:
        return self.key
