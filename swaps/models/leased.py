"""Rows of work: each is performed in attempts, and an attempt holds its row by a lease.

    queued ──claim──> processing ──> succeeded, failed
      ^                 │
      └────requeue_…────┘

Every change is a compare-and-set: of all racing callers exactly one gets True.
"""

import datetime
from typing import Any, ClassVar, Self, TypeVar

from django.conf import settings
from django.db import models
from django.db.models import F
from django.utils import timezone

from swaps import messages
from swaps.models.swap_states import UNFINISHED, Status

DISK_FULL_PAUSE = datetime.timedelta(seconds=5)  # until a full disk is checked again

Row_co = TypeVar("Row_co", bound=models.Model, covariant=True)


class LeasedFilters(models.QuerySet[Row_co]):
    """Filters rows of work by what is to be done with them."""

    def unfinished(self) -> Self:
        return self.filter(status__in=UNFINISHED, finished_at__isnull=True)

    def overdue(self, now: datetime.datetime) -> Self:
        """Filter to rows whose worker let its lease end."""
        claimed = self.filter(status=Status.PROCESSING, finished_at__isnull=True)
        return claimed.filter(lease_expires_at__lte=now)

    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-id")


class Leased(models.Model):
    """A row that workers perform in attempts, with its outcome."""

    status = models.CharField(max_length=10, choices=Status, default=Status.QUEUED)
    error_code = models.CharField(max_length=40, blank=True)
    error_params = models.JSONField(null=True)  # for ``messages.text``
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_expires_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects: ClassVar[LeasedFilters[Any]]

    class Meta:
        abstract = True

    @property
    def is_unfinished(self) -> bool:
        return self.status in UNFINISHED

    @property
    def is_succeeded(self) -> bool:
        return self.status == Status.SUCCEEDED

    @property
    def is_failed(self) -> bool:
        return self.status == Status.FAILED

    @property
    def explanation(self) -> messages.Message:
        """The message code that says why it failed, with its parameters."""
        return self.error_params or {"code": "api_error.broke"}

    @property
    def error_text(self) -> str:
        """The message that tells people why it failed."""
        return messages.text(self.explanation)

    def lock(self) -> None:
        """Lock the row until the transaction ends."""
        self.refresh_from_db(from_queryset=type(self).objects.select_for_update())

    def claim(self) -> bool:
        """Start an attempt, which holds the row for ``FACESWAP_LEASE_SECONDS``."""
        now = timezone.now()
        return self._move(
            (Status.QUEUED,),
            status=Status.PROCESSING,
            attempts=F("attempts") + 1,
            started_at=now,
            lease_expires_at=now + datetime.timedelta(seconds=settings.FACESWAP_LEASE_SECONDS),
        )

    def requeue_expired(self, now: datetime.datetime) -> bool:
        """Return the row to the queue if its lease has ended."""
        requeued = type(self).objects.overdue(now).filter(pk=self.pk)
        return requeued.update(status=Status.QUEUED, lease_expires_at=None) == 1

    def requeue_uncounted(self) -> bool:
        """Return the row to the queue without counting the attempt: there was no memory for it."""
        changes = {"status": Status.QUEUED, "attempts": F("attempts") - 1, "lease_expires_at": None}
        return self._attempt().update(**changes) == 1

    def shorten_lease(self) -> None:
        """Let the clock retry a failed attempt after 2, 8, 32 … seconds instead of the lease."""
        self._try_again_after(datetime.timedelta(seconds=2 * 4 ** (self.attempts - 1)))

    def retry_when_disk_has_space(self) -> None:
        """Try again after ``DISK_FULL_PAUSE`` without counting the attempt: the disk was full."""
        self._try_again_after(DISK_FULL_PAUSE, attempts=F("attempts") - 1)

    def _try_again_after(self, pause: datetime.timedelta, **changes: Any) -> None:
        self._attempt().update(lease_expires_at=timezone.now() + pause, **changes)

    def _attempt(self) -> LeasedFilters[Any]:
        """Filter to this row, if the attempt that was claimed is still under way."""
        return type(self).objects.filter(
            pk=self.pk, status=Status.PROCESSING, attempts=self.attempts
        )

    def _end_fields(self) -> dict[str, Any]:
        return {"finished_at": timezone.now(), "lease_expires_at": None}

    def _move(self, allowed: tuple[Status, ...], **changes: Any) -> bool:
        """Update the row if its status is ``allowed``; True for exactly one of racing callers."""
        moved = type(self).objects.filter(pk=self.pk, status__in=allowed).update(**changes)
        self.refresh_from_db()
        return moved == 1
