"""API keys of an account: issued, rotated, listed; and the access that it is granted.

What must hold among racing calls (one first key, a number of keys) is done under a lock on the
account's row of access.
"""

import datetime
import enum
from collections import defaultdict
from collections.abc import Iterable

from django.db import transaction
from django.db.models import Q, QuerySet

from swaps.messages import ExplainedError
from swaps.models import ApiAccess, ApiKey, ApiKeyUse, Door, FormSubmission, Grant, Scope, User
from swaps.models.api_access import SECRET_OVERLAP
from swaps.models.api_key import USE_HISTORY_DAYS

FIRST_KEY = "First key"
DOUBLE_CLICK = datetime.timedelta(seconds=20)
MAX_KEYS = 50  # of an account, that have not ended


class KeyState(enum.StrEnum):
    """Whether a key works, and why it does not."""

    WORKS = "works"
    DISABLED = "disabled"
    EXPIRED = "expired"
    REVOKED = "revoked"


class KeyRefused(ExplainedError):
    """A key that is not made, for a reason that the owner of the account is told."""


def acquire(user: User) -> tuple[ApiKey, str] | None:
    """Grant the free quota and issue the first key with its token; None if there was a key before.

    Raises ``KeyRefused`` for somebody whose session has ended meanwhile.
    """
    with transaction.atomic():
        _lock_access(user)
        if user.api_keys.exists():
            return None
        return ApiKey.objects.issue(user, name=FIRST_KEY)


def grant_access(user: User, *, quota: int | None = None) -> None:
    """Grant access with the free quota; ``quota`` replaces it, or is added to existing access."""
    free = ApiAccess.free_swaps() if quota is None else quota
    with transaction.atomic():
        _, is_new = ApiAccess.objects.get_or_create(user=user, defaults={"remaining": free})
        if quota and not is_new:
            Grant.objects.give(user, Door.API, quota, reason="create_api_key")


def create_key(
    user: User,
    now: datetime.datetime,
    *,
    name: str = "",
    scope: str = Scope.ALL,
    expires_at: datetime.datetime | None = None,
    form_key: str = "",
) -> tuple[ApiKey, str]:
    """Issue one more key with its token. Raises ``KeyRefused`` when there are ``MAX_KEYS``.

    A form that is sent twice at once makes one key: the browser shows the second response, so the
    second key replaces the first.
    """
    with transaction.atomic():
        _lock_access(user)
        if form_key:
            _delete_duplicate(user, form_key, now)
        _check_key_limit(user, now)
        issued = ApiKey.objects.issue(user, name=name, scope=scope, expires_at=expires_at)
        if form_key:
            FormSubmission.objects.update_or_create(
                user=user, key=form_key, defaults={"made": issued[0].pk}
            )
        return issued


def _delete_duplicate(user: User, form_key: str, now: datetime.datetime) -> None:
    """Delete the key that the same form made a moment ago, which nobody has seen.

    Raises ``KeyRefused`` when that key is older or was used.
    """
    sent = FormSubmission.objects.filter(user=user, key=form_key).first()
    if sent is None:
        return
    unseen = user.api_keys.filter(last_used_at=None, created_at__gt=now - DOUBLE_CLICK)
    if not unseen.filter(pk=sent.made).delete()[0]:
        raise KeyRefused("key.form_used")


def rotate_key(
    key: ApiKey, now: datetime.datetime, overlap: datetime.timedelta
) -> tuple[ApiKey, str]:
    """Issue the successor of a key that works, with its token. Raises ``KeyRefused``."""
    with transaction.atomic():
        _lock_access(key.user)
        key.refresh_from_db()
        state = key_state(key, now)
        if state != KeyState.WORKS:
            raise KeyRefused("key.ended", name=key.name, state=state.value)
        if key.replaced_at:
            raise KeyRefused("key.has_successor", name=key.name)
        if overlap:
            _check_key_limit(key.user, now)
        return key.rotate(now, overlap)


def rotate_secret(user: User, now: datetime.datetime, *, last_rotated: str | None = None) -> bool:
    """Replace the secret that signs callbacks; return False if it changed since the page was shown.

    A form that is sent twice would otherwise end the secret that receivers still use. Raises
    ``KeyRefused`` for somebody whose session has ended meanwhile.
    """
    with transaction.atomic():
        access = _lock_access(user)
        if last_rotated is not None and last_rotated != secret_version(access):
            return False
        access.rotate_secret(now)
        return True


def secret_version(access: ApiAccess) -> str:
    """Return a text that identifies the present secret without revealing it."""
    return access.secret_rotated_at.isoformat() if access.secret_rotated_at else ""


def previous_secret_ends_at(access: ApiAccess, now: datetime.datetime) -> datetime.datetime | None:
    """Return until when the previous secret signs as well; None when it does not."""
    if access.secret_rotated_at is None or len(access.signing_secrets(now)) == 1:
        return None
    return access.secret_rotated_at + SECRET_OVERLAP


def key_state(key: ApiKey, now: datetime.datetime) -> KeyState:
    if key.revoked_at is not None:
        return KeyState.REVOKED
    if key.is_disabled:
        return KeyState.DISABLED
    return KeyState.EXPIRED if key.is_expired(now) else KeyState.WORKS


def ended_keys(user: User, now: datetime.datetime) -> QuerySet[ApiKey]:
    """Return the user's keys that will never work again."""
    return user.api_keys.filter(Q(revoked_at__isnull=False) | Q(expires_at__lte=now))


def open_keys(user: User, now: datetime.datetime) -> QuerySet[ApiKey]:
    """Return the user's keys that work, or that staff have disabled."""
    return user.api_keys.filter(revoked_at=None).filter(Q(expires_at=None) | Q(expires_at__gt=now))


def uses_by_day(keys: Iterable[ApiKey], today: datetime.date) -> dict[int, list[int]]:
    """Return each key's uses on each of the last days, today last; in one query for all keys."""
    first = today - datetime.timedelta(days=USE_HISTORY_DAYS - 1)
    uses: dict[int, list[int]] = defaultdict(lambda: [0] * USE_HISTORY_DAYS)
    for use in ApiKeyUse.objects.filter(key__in=list(keys), day__gte=first, day__lte=today):
        uses[use.key_id][(use.day - first).days] = use.count
    return uses


def _lock_access(user: User) -> ApiAccess:
    """Lock the account's row of access. Raises ``KeyRefused`` when its sessions were ended."""
    access: ApiAccess
    access, _ = ApiAccess.objects.select_for_update().get_or_create(
        user=user, defaults={"remaining": ApiAccess.free_swaps()}
    )
    if not User.objects.filter(pk=user.pk, access_ended_at=user.access_ended_at).exists():
        raise KeyRefused("key.signed_out")
    return access


def _check_key_limit(user: User, now: datetime.datetime) -> None:
    if open_keys(user, now).count() >= MAX_KEYS:
        raise KeyRefused("key.too_many", limit=MAX_KEYS)
