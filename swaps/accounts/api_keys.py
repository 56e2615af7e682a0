"""Access to the API: what an account is granted, and the keys that it may have.

What must hold among racing calls (one first key, a number of keys) is done under a lock on the
account's row of access.
"""

import datetime
import enum
from collections import defaultdict
from collections.abc import Iterable

from django.db import transaction
from django.db.models import Q, QuerySet

from swaps.models import ApiAccess, ApiKey, ApiKeyUse, Door, FormSubmission, Grant, Scope, User
from swaps.models.api_access import SECRET_OVERLAP
from swaps.models.api_key import USE_HISTORY_DAYS

FIRST_KEY = "First key"
DOUBLE_CLICK = datetime.timedelta(seconds=20)
MAX_KEYS = 50  # of an account, that have not ended


class KeyState(enum.StrEnum):
    WORKS = "works"
    DISABLED = "disabled"
    EXPIRED = "expired"
    REVOKED = "revoked"


class KeyRefused(Exception):
    """Why there is no new key; the text is for the owner of the account."""


def acquire(user: User) -> tuple[ApiKey, str] | None:
    """The free quota and the first key, with its token. None for an account that had its key.

    Raises ``KeyRefused`` for somebody whose session has ended meanwhile.
    """
    with transaction.atomic():
        _lock(user)
        if user.api_keys.exists():
            return None
        return ApiKey.objects.issue(user, name=FIRST_KEY)


def provide(user: User, *, quota: int | None = None) -> None:
    """Access with the free quota; with ``quota`` instead of it, or on top of what is there."""
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
    """One more key, with its token. Raises ``KeyRefused`` when there are enough.

    A form that is sent twice at once makes one: the second answer is the one that is seen, so its
    key takes the place of the first.
    """
    with transaction.atomic():
        _lock(user)
        if form_key:
            _delete_twin(user, form_key, now)
        _check_room(user, now)
        issued = ApiKey.objects.issue(user, name=name, scope=scope, expires_at=expires_at)
        if form_key:
            FormSubmission.objects.update_or_create(
                user=user, key=form_key, defaults={"made": issued[0].pk}
            )
        return issued


def _delete_twin(user: User, form_key: str, now: datetime.datetime) -> None:
    """The key that the same form made a moment ago, which nobody has seen."""
    sent = FormSubmission.objects.filter(user=user, key=form_key).first()
    if sent is None:
        return
    unseen = user.api_keys.filter(last_used_at=None, created_at__gt=now - DOUBLE_CLICK)
    if not unseen.filter(pk=sent.made).delete()[0]:
        raise KeyRefused("This form has made its key. Load the page anew to make another one.")


def rotate_key(
    key: ApiKey, now: datetime.datetime, overlap: datetime.timedelta
) -> tuple[ApiKey, str]:
    """The successor of a key that works, with its token. Raises ``KeyRefused``."""
    with transaction.atomic():
        _lock(key.user)
        key.refresh_from_db()
        state = state_of(key, now)
        if state != KeyState.WORKS:
            raise KeyRefused(f"“{key.name}” is {state}. Make a new key instead.")
        if key.replaced_at:
            raise KeyRefused(f"“{key.name}” has a successor already. Rotate that one.")
        if overlap:
            _check_room(key.user, now)
        return key.rotate(now, overlap)


def rotate_secret(user: User, now: datetime.datetime, *, last_rotated: str | None = None) -> bool:
    """A new secret for callbacks. False when it was rotated since the page was shown.

    Raises ``KeyRefused`` for somebody whose session has ended meanwhile.

    A form that is sent twice would otherwise end the secret that receivers still use.
    """
    with transaction.atomic():
        access = _lock(user)
        if last_rotated is not None and last_rotated != rotation_mark(access):
            return False
        access.rotate_secret(now)
        return True


def rotation_mark(access: ApiAccess) -> str:
    """Names the secret that is valid now, without telling it."""
    return access.secret_rotated_at.isoformat() if access.secret_rotated_at else ""


def previous_secret_ends_at(access: ApiAccess, now: datetime.datetime) -> datetime.datetime | None:
    """Until when the secret before this one signs as well; None when it does not."""
    if access.secret_rotated_at is None or len(access.signing_secrets(now)) == 1:
        return None
    return access.secret_rotated_at + SECRET_OVERLAP


def state_of(key: ApiKey, now: datetime.datetime) -> KeyState:
    if key.revoked_at is not None:
        return KeyState.REVOKED
    if key.is_disabled:
        return KeyState.DISABLED
    return KeyState.EXPIRED if key.is_expired(now) else KeyState.WORKS


def ended_keys(user: User, now: datetime.datetime) -> QuerySet[ApiKey]:
    """Keys that will never work again."""
    return user.api_keys.filter(Q(revoked_at__isnull=False) | Q(expires_at__lte=now))


def open_keys(user: User, now: datetime.datetime) -> QuerySet[ApiKey]:
    """All others: they work, or staff have disabled them."""
    return user.api_keys.filter(revoked_at=None).filter(Q(expires_at=None) | Q(expires_at__gt=now))


def uses_by_day(keys: Iterable[ApiKey], today: datetime.date) -> dict[int, list[int]]:
    """For each key the uses of the last days, today last; one query for all of them."""
    first = today - datetime.timedelta(days=USE_HISTORY_DAYS - 1)
    uses: dict[int, list[int]] = defaultdict(lambda: [0] * USE_HISTORY_DAYS)
    for use in ApiKeyUse.objects.filter(key__in=list(keys), day__gte=first, day__lte=today):
        uses[use.key_id][(use.day - first).days] = use.count
    return uses


def _lock(user: User) -> ApiAccess:
    access: ApiAccess
    access, _ = ApiAccess.objects.select_for_update().get_or_create(
        user=user, defaults={"remaining": ApiAccess.free_swaps()}
    )
    if not User.objects.filter(pk=user.pk, access_ended_at=user.access_ended_at).exists():
        raise KeyRefused("You have been signed out meanwhile. Sign in again.")
    return access


def _check_room(user: User, now: datetime.datetime) -> None:
    if open_keys(user, now).count() >= MAX_KEYS:
        raise KeyRefused(f"An account has at most {MAX_KEYS} keys. Revoke one that is not needed.")
