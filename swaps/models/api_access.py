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
    """``whsec_`` and 256 random bits, as the Standard Webhooks specification writes them."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


class ApiAccess(QuotaBase):
    """What an account gets when it asks for access: a quota, and a secret that signs callbacks."""

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
        """The newest first; the one before it for a day, so that nobody misses a callback."""
        is_fresh = self.secret_rotated_at and self.secret_rotated_at > now - SECRET_OVERLAP
        return [self.callback_secret, *([self.previous_secret] if is_fresh else [])]

    def replace_secret(self) -> None:
        """A new one, and the old one ends at once: somebody else may know it."""
        self.previous_secret, self.callback_secret = "", new_callback_secret()
        self.secret_rotated_at = None
        self.save(update_fields=["previous_secret", "callback_secret", "secret_rotated_at"])

    def rotate_secret(self, now: datetime.datetime) -> None:
        self.previous_secret, self.callback_secret = self.callback_secret, new_callback_secret()
        self.secret_rotated_at = now
        self.save(update_fields=["previous_secret", "callback_secret", "secret_rotated_at"])
