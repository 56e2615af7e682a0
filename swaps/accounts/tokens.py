"""Links to set a new password."""

from typing import Any

from allauth.account.forms import EmailAwarePasswordResetTokenGenerator

from swaps.models import User


class ResetTokenGenerator(EmailAwarePasswordResetTokenGenerator):  # type: ignore[misc]
    """They end with the password, with a change of addresses, and with all access."""

    def _make_hash_value(self, user: User, timestamp: Any) -> str:
        return f"{super()._make_hash_value(user, timestamp)}|{user.access_ended_at}"
