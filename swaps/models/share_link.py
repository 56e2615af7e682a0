"""Share links: public pages that show one result until they expire or are revoked."""

import datetime
import secrets
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

from swaps.models.swap import Swap
from swaps.models.swap_states import Status

KEPT = datetime.timedelta(days=30)  # of the row, after its link has expired


def new_share_token() -> str:
    """Return 128 random bits for the URL of a shared picture."""
    return secrets.token_urlsafe(16)


class ShareLinkQuerySet(models.QuerySet["ShareLink"]):
    """Filters share links by whether they still work."""

    def open(self, now: datetime.datetime) -> "ShareLinkQuerySet":
        """Filter to links that show their picture; those of a blocked owner do not."""
        return self.filter(
            Q(revoked_at__isnull=True),
            expires_at__gt=now,
            swap__status=Status.SUCCEEDED,
            swap__is_hidden=False,
            swap__owner__is_active=True,
        )

    def replace(self, swap: Swap, expires_at: datetime.datetime) -> "ShareLink":
        """Make the one link of a swap; call in a transaction that has locked the swap."""
        self.filter(swap=swap).delete()
        return self.create(swap=swap, expires_at=expires_at)

    def revoke(self, now: datetime.datetime) -> None:
        """End links; those that were revoked before keep their time."""
        self.filter(revoked_at=None).update(revoked_at=now)


class ShareLink(models.Model):
    """A link under which anybody may see the result of a swap, and nothing else of it."""

    swap = models.ForeignKey(Swap, models.CASCADE, related_name="share_links")
    token = models.CharField(max_length=22, unique=True, default=new_share_token)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(db_index=True)
    revoked_at = models.DateTimeField(null=True)

    objects: ClassVar[ShareLinkQuerySet] = ShareLinkQuerySet.as_manager()  # type: ignore[assignment]

    def __str__(self) -> str:
        return f"until {self.expires_at:%Y-%m-%d %H:%M}"
