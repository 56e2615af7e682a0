import datetime
import hashlib
import secrets
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from swaps.models.user import User

USES_SHOWN = 30  # days
PREFIX_LENGTH = 9
LAST_USED_PRECISION = datetime.timedelta(minutes=1)


class Scope(models.TextChoices):
    """What a key may be used for."""

    ALL = "all", "Everything"
    SWAP = "swap", "Requesting swaps"
    TASKS = "tasks", "Asking for tasks"


def digest(token: str) -> str:
    """What is stored of a key. Its 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def issue(self, user: User, *, name: str = "", **fields: Any) -> tuple["ApiKey", str]:
        """A new key, and its token: the only moment at which that is known."""
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
        return self.select_related("user").filter(digest=digest(token)).first()

    def usable(self, now: datetime.datetime) -> "ApiKeyQuerySet":
        return self.filter(revoked_at=None, is_disabled=False).filter(
            Q(expires_at=None) | Q(expires_at__gt=now)
        )


class ApiKey(models.Model):
    """A key of the API. Stored as a hash: shown once, when it is made."""

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

    def covers(self, scope: Scope) -> bool:
        return self.scope in {Scope.ALL, scope}

    def revoke(self, now: datetime.datetime) -> bool:
        return ApiKey.objects.filter(pk=self.pk, revoked_at=None).update(revoked_at=now) == 1

    def rotate(self, now: datetime.datetime, overlap: datetime.timedelta) -> tuple["ApiKey", str]:
        """A successor with the same name, scope and date; this one works for ``overlap`` more."""
        issued = ApiKey.objects.issue(
            self.user, name=self.name, scope=self.scope, expires_at=self.expires_at
        )
        ends_at = min(now + overlap, self.expires_at or now + overlap)
        ApiKey.objects.filter(pk=self.pk).update(expires_at=ends_at, replaced_at=now)
        return issued

    def note_use(self, now: datetime.datetime) -> None:
        """Count the use for its day. ``last_used_at`` is exact to the minute, to save writes."""
        count_up(ApiKeyUse.objects.all(), key=self, day=now.date())
        if self.last_used_at is None or self.last_used_at <= now - LAST_USED_PRECISION:
            ApiKey.objects.filter(pk=self.pk).update(last_used_at=now)


class ApiKeyUse(models.Model):
    """How often a key was used on one day (UTC)."""

    key = models.ForeignKey(ApiKey, models.CASCADE, related_name="uses")
    day = models.DateField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint("key", "day", name="api_key_use_of_a_day")]

    def __str__(self) -> str:
        return f"{self.day}: {self.count}"


class CallCount(models.Model):
    """How many calls an account made in one minute."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    minute = models.DateTimeField(db_index=True)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint("user", "minute", name="call_count_of_a_minute")]

    def __str__(self) -> str:
        return f"{self.minute}: {self.count}"


def count_up(counters: models.QuerySet[Any], *, limit: int | None = None, **which: Any) -> bool:
    """Add one to the counter, in one statement; False when it stands at its limit."""
    open_counters = counters.filter(**which, **({"count__lt": limit} if limit is not None else {}))
    if open_counters.update(count=F("count") + 1):
        return True
    if limit == 0:
        return False
    _, is_new = counters.get_or_create(**which, defaults={"count": 1})
    return is_new or open_counters.update(count=F("count") + 1) == 1
