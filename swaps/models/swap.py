"""The swap: its row, and the only ways in which its status may change.

    queued ──claim, mark_sent──> processing ──succeed──> succeeded
      │  ^                         │  │                     │
      │  └──requeue_…──────────────┘  └──fail──> failed     │
      └──────────────────remove──> removed <────────────────┘

Every change is a compare-and-set: of all racing callers exactly one gets True.
"""

import datetime
from collections.abc import Mapping
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from swaps import messages
from swaps.models.api_key import ApiKey
from swaps.models.batch import Batch
from swaps.models.labels import Labels
from swaps.models.leased import Leased
from swaps.models.quota import Door
from swaps.models.swap_files import SwapFiles
from swaps.models.swap_queryset import SwapFilters
from swaps.models.swap_states import UNFINISHED, Provider, Status

SMALL_COPIES_LEASE = datetime.timedelta(minutes=10)


class SwapQuerySet(SwapFilters["Swap"]):
    """Filters swaps by who may see them and what is to be done with them."""


class Swap(Leased, SwapFiles, Labels):
    """One request to put the source's face into the target, and its outcome."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="swaps")
    door = models.CharField(max_length=7, choices=Door, default=Door.BROWSER)
    provider = models.CharField(max_length=8, choices=Provider, default=Provider.EMBEDDED)
    is_parked = models.BooleanField(
        "parked", default=False, help_text="Waits for a hosted provider that is down."
    )
    pairs = models.JSONField(
        default=list, db_default=[], blank=True, help_text="Which face goes onto which"
    )
    width = models.PositiveIntegerField(null=True, help_text="of the result, in pixels")
    height = models.PositiveIntegerField(null=True, help_text="of the result, in pixels")
    size = models.PositiveIntegerField(null=True, help_text="of the result, in bytes")
    warnings = models.JSONField(default=list, blank=True)
    score = models.FloatField(null=True, help_text="0 to 1: how good the engine finds it")
    error_message = models.TextField(blank=True)  # earlier versions kept English
    error_image = models.CharField(max_length=6, blank=True)
    is_hidden = models.BooleanField(
        "hidden", default=False, help_text="Hidden by staff: nobody but staff can see it."
    )
    is_purged = models.BooleanField(default=False, help_text="Its files are gone.")
    stored_bytes = models.BigIntegerField(default=0, db_default=0, help_text="Of its files.")
    has_sizes = models.BooleanField(
        default=True, db_default=False, help_text="All its pictures have all their small copies."
    )
    batch = models.ForeignKey(Batch, models.SET_NULL, null=True, related_name="swaps")
    consented_at = models.DateTimeField(null=True, help_text="Its owner may use both pictures.")
    expires_at = models.DateTimeField(null=True, help_text="A guest's swap is removed then.")
    guest_counts = models.JSONField(
        default=list, db_default=[], blank=True, help_text="Ids of the counts that it was taken of"
    )
    # Of a swap that came in by the API:
    api_key = models.ForeignKey(ApiKey, models.SET_NULL, null=True, related_name="+")
    request = models.JSONField(null=True, help_text="The body of the call.")
    trace_id = models.CharField(max_length=32, blank=True)
    callback_url = models.TextField(blank=True)

    objects: ClassVar[SwapQuerySet] = SwapQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        indexes = [
            models.Index("owner", F("created_at").desc(), F("id").desc(), name="swap_history"),
            models.Index(
                "status",
                "lease_expires_at",
                name="swap_unfinished",
                condition=Q(
                    finished_at__isnull=True
                ),  # SQLite matches no other condition to queries with parameters
            ),
            models.Index("is_purged", "status", "finished_at", name="swap_unpurged"),
            models.Index(F("created_at").desc(), F("id").desc(), name="swap_newest"),
            models.Index("expires_at", name="swap_expiring", condition=Q(expires_at__isnull=False)),
            models.Index("id", name="swap_without_sizes", condition=Q(has_sizes=False)),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    # --- what pages ask -------------------------------------------------------------------

    @property
    def is_gone(self) -> bool:
        """Whether its pictures have been deleted."""
        return self.is_purged or self.status == Status.REMOVED

    @property
    def is_from_api(self) -> bool:
        return self.door == Door.API

    @property
    def is_hosted(self) -> bool:
        return self.provider == Provider.HOSTED

    @property
    def has_been_sent(self) -> bool:
        """Whether a hosted provider may have begun it, which is paid for in any case."""
        submission = getattr(self, "submission", None) if self.is_hosted else None
        return bool(submission and submission.sends)

    @property
    def progress(self) -> str:
        """What a page shows: the status, with ``-fetching`` or ``-parked`` while it waits."""
        if not self.has_pictures:
            return f"{self.status}-fetching"
        return f"{self.status}-parked" if self.is_parked else self.status

    @property
    def seconds(self) -> float | None:
        """The seconds from the request to the end; None while it is unfinished."""
        if self.finished_at is None:
            return None
        return (self.finished_at - self.created_at).total_seconds()

    @property
    def warning_texts(self) -> list[str]:
        """The messages that tell people what may be wrong with the result."""
        known = [code for code in self.warnings if f"warning.{code}" in messages.TEXTS]
        return [messages.text({"code": f"warning.{code}"}) for code in known]

    @property
    def explanation(self) -> messages.Message:
        """The message code that says why it failed, with its parameters."""
        return self.error_params or {"code": "row.text", "text": self.error_message}

    # --- what may happen to it ------------------------------------------------------------

    def mark_sent(self) -> bool:
        """Start the attempt of a hosted provider; the ``Submission`` tells how that goes on."""
        return self._move(
            (Status.QUEUED,),
            status=Status.PROCESSING,
            attempts=F("attempts") + 1,
            started_at=timezone.now(),
            is_parked=False,
            lease_expires_at=None,
        )

    def requeue_unsent(self, *, is_parked: bool) -> bool:
        """Return the swap to the queue, or park it: the provider did not take it."""
        return self._move(UNFINISHED, status=Status.QUEUED, is_parked=is_parked)

    def requeue_with_pictures(self, keys: Mapping[str, str], *, size: int) -> bool:
        """Record its fetched pictures and queue it for the engine, with all its attempts left.

        Call it with the row locked. False when its pictures are there already.
        """
        known = {**self.input_keys, **keys}
        return not self.has_pictures and self._move(
            (Status.PROCESSING,),
            status=Status.QUEUED,
            attempts=0,
            lease_expires_at=None,
            stored_bytes=F("stored_bytes") + size,
            source_key=known.pop("source"),
            target_key=known.pop("target"),
            more_source_keys=list(known.values()),
        )

    def succeed(self, **result: Any) -> bool:
        """End the swap with its result, even if its lease ended meanwhile: the work is done."""
        return self._move(UNFINISHED, status=Status.SUCCEEDED, **self._end_fields(), **result)

    def fail(self, *, code: str, params: messages.Message, image: str) -> bool:
        """End the swap with an error code and a message for people."""
        return self._move(
            UNFINISHED,
            status=Status.FAILED,
            error_code=code,
            error_params=params,
            error_image=image,
            **self._end_fields(),
        )

    def remove(self, *, was: tuple[Status, ...]) -> bool:
        """End the swap for its owner; ``was`` lists the statuses in which that is allowed."""
        return self._move(
            was,
            status=Status.REMOVED,
            stored_bytes=0,
            name="",
            expires_at=None,
            **self._end_fields(),
        )

    def purge(self, status: Status) -> bool:
        """Record that its files are deleted; True for the first caller only."""
        mine = Swap.objects.filter(pk=self.pk, status=status, is_purged=False)
        return mine.update(is_purged=True, stored_bytes=0, source_key="", target_key="") == 1

    def renew_small_copies_lease(self, now: datetime.datetime) -> bool:
        """Give its small copies time to be made; True for whoever is to enqueue that."""
        mine = Swap.objects.without_small_copies().filter(pk=self.pk)
        due = mine.exclude(lease_expires_at__gt=now)
        return due.update(lease_expires_at=now + SMALL_COPIES_LEASE) == 1

    def record_small_copies(self, size: int) -> bool:
        """Record that its small copies were made, with their bytes; True for the first caller."""
        mine = Swap.objects.without_small_copies().filter(pk=self.pk)
        changes = {"has_sizes": True, "lease_expires_at": None}
        return mine.update(stored_bytes=F("stored_bytes") + size, **changes) == 1

    def _end_fields(self) -> dict[str, Any]:
        return super()._end_fields() | {"is_parked": False}
