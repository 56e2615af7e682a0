"""An account's access to the API: its quota, and the secrets that sign its callbacks."""

import base64
import datetime
import secrets

from django.conf import settings
from django.db import models
from django.utils import timezone

from swaps.models.quota import QuotaBase

# How long callbacks carry the signatures of both secrets after a rotation.
SECRET_OVERLAP = datetime.timedelta(days=1)


def new_callback_secret() -> str:
    """Return a new signing secret: ``whsec_`` and 256 random bits in base64 (Standard Webhooks)."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


class ApiAccess(QuotaBase):
    """The API quota of an account and the secret that signs its deliveries."""

    callback_secret = models.CharField(max_length=60, default=new_callback_secret)
    previous_secret = models.CharField(max_length=60, blank=True)
    secret_rotated_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = "API access"
        verbose_name_plural = "API access"

    @staticmethod
    def free_swaps() -> int:
        return settings.FACESWAP_API_FREE_SWAPS

    def signing_secrets(self, now: datetime.datetime) -> list[str]:
        """Return the secrets to sign with, newest first.

        For a day after a rotation the previous one is among them, so that receivers which still
        check with it miss nothing.
        """
        is_fresh = self.secret_rotated_at and self.secret_rotated_at > now - SECRET_OVERLAP
        return [self.callback_secret, *([self.previous_secret] if is_fresh else [])]

    def replace_secret(self) -> None:
        """Issue a new secret and end the old one at once, because somebody else may know it."""
        self.previous_secret, self.callback_secret = "", new_callback_secret()
        self.secret_rotated_at = None
        self.save(update_fields=["previous_secret", "callback_secret", "secret_rotated_at"])

    def rotate_secret(self, now: datetime.datetime) -> None:
        """Issue a new secret; the old one goes on signing for ``SECRET_OVERLAP``."""
        self.previous_secret, self.callback_secret = self.callback_secret, new_callback_secret()
        self.secret_rotated_at = now
        self.save(update_fields=["previous_secret", "callback_secret", "secret_rotated_at"])
