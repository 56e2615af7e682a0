"""Ownership of accounts: an account belongs to whoever owns the mailbox of its address.

An account works before its address is confirmed, so anybody may have made it, with keys, sessions
and further addresses of their own. When the mailbox is proven for the first time, and whenever the
password is reset by mail, all of that ends.
"""

import datetime
from dataclasses import dataclass

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import transaction

from swaps.models import (
    ApiAccess,
    IdempotencyKey,
    InspectedCallback,
    Quota,
    ShareLink,
    Swap,
    Upload,
    User,
)

FOREIGN_KEY_NAME = "Made before the address was confirmed"


@dataclass(frozen=True, kw_only=True)
class EndedAccess:
    """What could open the account and no longer can, besides all its sessions."""

    has_ended: bool = False
    keys: int = 0
    has_new_secret: bool = False
    addresses: int = 0


def find_account(email: str) -> User | None:
    """Return the account that confirmed this address, or whose primary address it is."""
    confirmed = EmailAddress.objects.filter(email=email.lower(), verified=True)
    address = confirmed.select_related("user").first()
    if address:
        owner: User = address.user
        return owner
    return User.objects.filter(email=email.lower()).first()


def is_confirmed(user: User) -> bool:
    """Return True when any address of the account was ever confirmed."""
    return bool(EmailAddress.objects.filter(user=user, verified=True).exists())


def is_primary_confirmed(user: User) -> bool:
    confirmed = EmailAddress.objects.filter(user=user, email=user.email, verified=True)
    return bool(confirmed.exists())


def confirm(user: User, email: str, now: datetime.datetime) -> EndedAccess:
    """Confirm an address for somebody who is signed in to the account.

    The first confirmation ends all other access.
    """
    with transaction.atomic():
        is_first = not is_confirmed(user)
        release_address(email, user, now)
        if is_first:
            return _end_access(user, email, now)
        EmailAddress.objects.filter(user=user, email=email).update(verified=True)
        return EndedAccess()


def confirm_by_reset(user: User, now: datetime.datetime, *, keep_swaps: bool) -> EndedAccess:
    """End all access when a link sent to the account's address is used for a new password.

    An account that never had a password was made by the operator, keys included: they stay.
    """
    with transaction.atomic():
        if not user.has_usable_password():
            release_address(user.email, user, now)
            _make_primary(user, user.email)
            return EndedAccess()
        return _end_foreign_access(
            user, user.email, now, is_first=not is_primary_confirmed(user), keep=keep_swaps
        )


def take_over(user: User, email: str, now: datetime.datetime, *, keep_swaps: bool) -> None:
    """Give the account to the owner of the mailbox, who is not signed in to it.

    Somebody else may have made the account, so its password ends as well.
    """
    with transaction.atomic():
        user.set_unusable_password()
        user.save(update_fields=["password"])
        _end_foreign_access(user, email, now, is_first=True, keep=keep_swaps)


def end_access(user: User, now: datetime.datetime) -> None:
    """End all access when staff set a password; the address stays confirmed or unconfirmed."""
    with transaction.atomic():
        was_confirmed = is_primary_confirmed(user)
        _end_access(user, user.email, now)
        EmailAddress.objects.filter(user=user).update(verified=was_confirmed)


def release_address(email: str, owner: User, now: datetime.datetime) -> None:
    """Remove an address from all other accounts: its mailbox is this owner's.

    An account that has no other confirmed address is deactivated.
    """
    EmailAddress.objects.filter(email=email).exclude(user=owner).delete()
    for other in User.objects.filter(email=email).exclude(pk=owner.pk):
        own = EmailAddress.objects.filter(user=other, verified=True).first()
        if own:
            own.set_as_primary()
            continue
        other.email, other.is_active = f"released-{other.pk}@released.invalid", False
        other.save(update_fields=["email", "is_active"])
        _end_access(other, other.email, now)
        _hide_history(other, now)


def _end_foreign_access(
    user: User, email: str, now: datetime.datetime, *, is_first: bool, keep: bool
) -> EndedAccess:
    release_address(email, user, now)
    ended = _end_access(user, email, now)
    if is_first and not keep:
        _hide_history(user, now)
    return ended


def _end_access(user: User, email: str, now: datetime.datetime) -> EndedAccess:
    """End sessions, API keys, mailed links, the callback secret and all other addresses."""
    access = ApiAccess.objects.select_for_update().filter(user=user).first()  # as new keys do
    user.access_ended_at = now
    user.save(update_fields=["access_ended_at"])
    others, _ = EmailAddress.objects.filter(user=user).exclude(email=email).delete()
    _make_primary(user, email)
    if access:
        access.replace_secret()
    for upload in Upload.objects.passing().filter(owner=user):
        upload.delete()
    ShareLink.objects.filter(swap__owner=user).revoke(now)
    InspectedCallback.objects.filter(user=user).delete()
    return EndedAccess(
        has_ended=True,
        keys=user.api_keys.filter(revoked_at=None).update(revoked_at=now),
        has_new_secret=access is not None,
        addresses=others,
    )


def _make_primary(user: User, email: str) -> None:
    EmailAddress.objects.filter(user=user).exclude(email=email).update(primary=False)
    EmailAddress.objects.update_or_create(
        user=user, email=email, defaults={"verified": True, "primary": True}
    )
    user.email = email
    user.save(update_fields=["email"])


def _hide_history(user: User, now: datetime.datetime) -> None:
    """Hide what was made with the account before, for the clock to delete; reset its quotas."""
    Swap.objects.filter(owner=user).update(is_hidden=True)
    for face in Upload.objects.my_faces().filter(owner=user):
        face.delete()
    user.forget_swaps_before = now
    user.save(update_fields=["forget_swaps_before"])
    user.api_keys.update(name=FOREIGN_KEY_NAME)
    IdempotencyKey.objects.filter(user=user).delete()
    free = settings.FACESWAP_FREE_SWAPS
    Quota.objects.filter(user=user, remaining__lt=free).update(remaining=free)
    api_free = settings.FACESWAP_API_FREE_SWAPS
    ApiAccess.objects.filter(user=user, remaining__lt=api_free).update(remaining=api_free)
