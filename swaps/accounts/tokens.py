"""Tokens of password reset links."""

from typing import Any

from allauth.account.forms import EmailAwarePasswordResetTokenGenerator

from swaps.models import User


class ResetTokenGenerator(EmailAwarePasswordResetTokenGenerator):  # type: ignore[misc]
    """Tokens that end with the password, with a change of addresses, and when all access ends.

    Where none has ended they are allauth's own: those that were mailed before an upgrade work.
    """

    def _make_hash_value(self, user: User, timestamp: Any) -> str:
        own: str = super()._make_hash_value(user, timestamp)
        return own if user.access_ended_at is None else f"{own}|{user.access_ended_at}"
