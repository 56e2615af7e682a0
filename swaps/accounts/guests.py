"""Guests: browsers that try the site without an account.

A guest is a row of ``User`` that the visitor's session names. It cannot sign in: it has no
password, its address does not exist, and it counts as blocked.
"""

import secrets

from django.contrib.sessions.backends.base import SessionBase

from swaps.models import User
from swaps.models.user import GUEST_DOMAIN

SESSION_KEY = "guest"


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
