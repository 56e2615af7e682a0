"""Accounts, with e-mail address and password."""

import unicodedata
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.crypto import salted_hmac

SESSION_SALT = "swaps.models.user.session"
GUEST_DOMAIN = "guest.invalid"  # no mail ever arrives there


def normalize_password(password: str) -> str:
    """Return the password in NFC (RFC 8265), since keyboards compose letters in different ways.

    NFKC is not used: it takes different passwords for one.
    """
    return unicodedata.normalize("NFC", password)


class UserManager(BaseUserManager["User"]):
    """Creates accounts; e-mail addresses are stored in lower case."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        if not email:
            raise ValueError("An account needs an e-mail address.")
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(
            email, password, **{**fields, "is_staff": True, "is_superuser": True}
        )


class User(AbstractBaseUser, PermissionsMixin):
    """An account: an e-mail address and a password. Blocked when not ``is_active``."""

    email = models.EmailField("e-mail", unique=True)
    is_active = models.BooleanField(
        "active", default=True, help_text="Without this the account is blocked: no sign-in, no API."
    )
    is_staff = models.BooleanField("staff", default=False, help_text="May open the admin.")
    is_guest = models.BooleanField(
        "guest",
        default=False,
        db_default=False,
        editable=False,
        help_text="A browser that tries the site without an account; it cannot sign in.",
    )
    date_joined = models.DateTimeField(default=timezone.now, editable=False)

    access_ended_at = models.DateTimeField(
        null=True, editable=False, help_text="Sessions and mailed links from before have ended."
    )
    forget_swaps_before = models.DateTimeField(
        null=True, editable=False, help_text="Swaps from before are to be deleted."
    )

    history_filters = models.JSONField(
        default=dict, db_default={}, editable=False, help_text="How the history was last filtered."
    )

    objects: ClassVar[UserManager] = UserManager()

    EMAIL_FIELD = "email"
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_any_case")]
        indexes = [
            models.Index(
                "forget_swaps_before",
                name="user_swaps_to_forget",
                condition=Q(forget_swaps_before__isnull=False),
            ),
            models.Index("date_joined", name="user_guests", condition=Q(is_guest=True)),
        ]

    def __str__(self) -> str:
        return self.email

    def remember_history_filters(self, filters: dict[str, str]) -> None:
        """Keep how the history is filtered, for the next visit."""
        if filters != self.history_filters:
            self.history_filters = filters
            self.save(update_fields=["history_filters"])

    def set_password(self, raw_password: str | None) -> None:
        super().set_password(raw_password and normalize_password(raw_password))

    def check_password(self, raw_password: str | None) -> bool:
        """Return whether the password is right, normalized or as typed.

        Passwords were once stored without normalization.
        """
        if raw_password is None:
            return False
        attempts = dict.fromkeys((normalize_password(raw_password), raw_password))
        return any(super(User, self).check_password(each) for each in attempts)

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Return a hash that changes with the password and with ``access_ended_at``.

        A changed hash ends all sessions of the account.
        """
        own: str = super()._get_session_auth_hash(secret=secret)  # type: ignore[misc]
        if self.access_ended_at is None:
            return own
        value = f"{own}{self.access_ended_at.isoformat()}"
        return salted_hmac(SESSION_SALT, value, secret=secret, algorithm="sha256").hexdigest()
