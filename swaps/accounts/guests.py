"""Guests: browsers that try the site without an account.

A guest is a row of ``User`` that the visitor's session names. It cannot sign in: it has no
password, its address does not exist, and it counts as blocked. Signing in takes along what it made.
"""

import datetime
import secrets

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from swaps.models import AccountStorage, GuestCount, Swap, Upload, User
from swaps.models.user import GUEST_DOMAIN

SESSION_KEY = "guest"
LIFE = datetime.timedelta(hours=1)  # of what a guest makes


def find_guest(session: SessionBase) -> User | None:
    """Return the guest that this session names, or None."""
    pk = session.get(SESSION_KEY)
    return User.objects.filter(pk=pk, is_guest=True).first() if pk else None


def find_or_make_guest(session: SessionBase) -> User:
    """Return the guest that this session names; the first time, make it."""
    guest = find_guest(session)
    if guest is None:
        email = f"guest-{secrets.token_hex(16)}@{GUEST_DOMAIN}"
        guest = User.objects.create_user(email, is_guest=True, is_active=False)
        session[SESSION_KEY] = guest.pk
    return guest


def counter_names(guest: User | None, network: str) -> list[str]:
    """Return the names under which a guest's swaps are counted, unreadable: browser and network."""
    named = [f"browser {guest.pk}"] if guest else []
    return [_keyed_hash(name) for name in (*named, f"network {network}")]


def swaps_left(names: list[str], now: datetime.datetime) -> int:
    """Return how many swaps are left today under all of these names."""
    used = GuestCount.objects.highest(names, timezone.localdate(now))
    return max(0, settings.FACESWAP_GUEST_SWAPS - used)


def take_along(session: SessionBase, user: User, now: datetime.datetime) -> None:
    """Give the user who has just signed in what this browser made as a guest.

    It is kept like all that an account made, and no quota is charged for it. The guest ends.
    """
    guest = find_guest(session)
    session.pop(SESSION_KEY, None)
    if guest is None:
        return
    with transaction.atomic():
        account = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        if account.access_ended_at == user.access_ended_at:  # else this sign-in no longer counts
            size = _move_swaps(guest, account, now) + _move_uploads(guest, account)
            AccountStorage.objects.add(account.pk, size)
        guest.delete()


def _move_swaps(guest: User, account: User, now: datetime.datetime) -> int:
    """Move the swaps whose hour is not over, and return the bytes of their pictures."""
    swaps = Swap.objects.filter(owner=guest, expires_at__gt=now)
    sizes = dict(
        swaps.select_for_update().order_by("pk").values_list("pk", "stored_bytes"),
    )
    moved = Swap.objects.filter(pk__in=sizes)
    if account.forget_swaps_before:  # the clock still deletes what the account has from before
        moved.filter(created_at__lte=account.forget_swaps_before).update(created_at=now)
    moved.update(owner=account, expires_at=None)
    return sum(sizes.values())


def _move_uploads(guest: User, account: User) -> int:
    uploads = Upload.objects.filter(owner=guest)
    sizes = dict(uploads.select_for_update().order_by("pk").values_list("pk", "size"))
    Upload.objects.filter(pk__in=sizes).update(owner=account)
    return sum(sizes.values())


def _keyed_hash(name: str) -> str:
    return salted_hmac("swaps.accounts.guests", name, algorithm="sha256").hexdigest()
