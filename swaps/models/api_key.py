"""API keys, their daily use, and the counters behind the rate limit."""

import datetime
import hashlib
import secrets
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from swaps.models.counters import increment_counter
from swaps.models.user import User

USE_HISTORY_DAYS = 30
PREFIX_LENGTH = 9
LAST_USED_PRECISION = datetime.timedelta(minutes=1)


class Scope(models.TextChoices):
    """What an API key may be used for."""

    ALL = "all", "Everything"
    SWAP = "swap", "Requesting swaps"
    TASKS = "tasks", "Asking for tasks"


def digest(token: str) -> str:
    """Return the SHA-256 of a token, which is all that is stored of it.

    Its 256 random bits need no salt and no slow hash.
    """
    return hashlib.sha256(token.encode()).hexdigest()


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    """Issues API keys and finds them by their token."""

    def issue(self, user: User, *, name: str = "", **fields: Any) -> tuple["ApiKey", str]:
        """Create a key and return it with its token, which cannot be read again later."""
        token = f"fs_{secrets.token_urlsafe(32)}"
        key = self.create(
            user=user,
            name=name or "Key",
            prefix=token[:PREFIX_LENGTH],
            digest=digest(token),
            **fields,
        )
        return key, token

    def find(self, token: str) -> "ApiKey | None":
        """Return the key with this token, whether it is usable or not; None when there is none."""
        return self.select_related("user").filter(digest=digest(token)).first()

    def usable(self, now: datetime.datetime) -> "ApiKeyQuerySet":
        """Filter to keys that are neither revoked, disabled by staff nor expired."""
        return self.filter(revoked_at=None, is_disabled=False).filter(
            Q(expires_at=None) | Q(expires_at__gt=now)
        )


class ApiKey(models.Model):
    """An API key. Only a hash of its token is stored.

    The token is shown once, when it is issued.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=60)
    prefix = models.CharField(max_length=PREFIX_LENGTH, help_text="How the key begins.")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scope = models.CharField(max_length=5, choices=Scope, default=Scope.ALL)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, editable=False)
    replaced_at = models.DateTimeField(null=True, editable=False, help_text="by its successor")
    is_disabled = models.BooleanField(
        "disabled", default=False, help_text="By staff: calls with it are refused."
    )
    last_used_at = models.DateTimeField(null=True, editable=False)

    objects: ClassVar[ApiKeyQuerySet] = ApiKeyQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = "API key"
        indexes = [models.Index("user", F("created_at").desc(), name="api_key_newest")]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    def is_expired(self, now: datetime.datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now

    def has_scope(self, scope: Scope) -> bool:
        return self.scope in {Scope.ALL, scope}

    def revoke(self, now: datetime.datetime) -> bool:
        """Revoke the key; True for the caller that did so, False when it was revoked already."""
        return ApiKey.objects.filter(pk=self.pk, revoked_at=None).update(revoked_at=now) == 1

    def rotate(self, now: datetime.datetime, overlap: datetime.timedelta) -> tuple["ApiKey", str]:
        """Issue a successor with the same name, scope and expiry, and return it with its token.

        This key expires ``overlap`` from now, or earlier if it was to expire earlier anyway.
        """
        issued = ApiKey.objects.issue(
            self.user, name=self.name, scope=self.scope, expires_at=self.expires_at
        )
        ends_at = min(now + overlap, self.expires_at or now + overlap)
        ApiKey.objects.filter(pk=self.pk).update(expires_at=ends_at, replaced_at=now)
        return issued

    def record_use(self, now: datetime.datetime) -> None:
        """Count a use for its day, and set ``last_used_at`` at most once a minute."""
        increment_counter(ApiKeyUse.objects.all(), key=self, day=now.date())
        if self.last_used_at is None or self.last_used_at <= now - LAST_USED_PRECISION:
            ApiKey.objects.filter(pk=self.pk).update(last_used_at=now)


class ApiKeyUse(models.Model):
    """Counts how often a key was used on one day (UTC)."""

    key = models.ForeignKey(ApiKey, models.CASCADE, related_name="uses")
    day = models.DateField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint("key", "day", name="api_key_use_of_a_day")]

    def __str__(self) -> str:
        return f"{self.day}: {self.count}"
