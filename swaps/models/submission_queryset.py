"""Queries on submissions: which are due, and what is recorded of them in single statements."""

import datetime
import uuid
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import Case, Value, When
from django.utils import timezone

from swaps.models.provider_callback import ProviderCallback, Verdict
from swaps.models.swap import Swap

# The fields of a submission without an outcome, for one that was recorded by mistake.
NO_OUTCOME: dict[str, Any] = {
    **dict.fromkeys(("task_id", "image_url", "error_code", "error_message", "callback"), ""),
    **dict.fromkeys(("answered_at", "enqueue_again_at")),
    "stage": "sent",
}
LEASE = datetime.timedelta(seconds=60)  # a step that was cut off is made again after this


class Stage(models.TextChoices):
    """How far a submission has come."""

    NEW = "new", "Not sent yet"
    SENT = "sent", "Sent, waiting for the callback"
    ANSWERED = "answered", "Answered, its picture to be fetched"
    ENDED = "ended", "Ended"


def max_call_time() -> datetime.timedelta:
    """Return the longest time that the answer to a call may take; later none can come."""
    return datetime.timedelta(seconds=2 * settings.FACESWAP_HOSTED_TIMEOUT_SECONDS + 10)


class SubmissionQuerySet(models.QuerySet[Any]):
    """Filters submissions, and records what the provider reports of them."""

    def open(self) -> "SubmissionQuerySet":
        """Filter to submissions that have not ended, written so that SQLite uses the index."""
        return self.filter(due_at__isnull=False)

    def due(self, now: datetime.datetime) -> "SubmissionQuerySet":
        """Filter to submissions whose next step is due."""
        return self.filter(due_at__lte=now)

    def needs_enqueue(self, now: datetime.datetime) -> "SubmissionQuerySet":
        """Filter to due submissions whose task was never enqueued or must be lost by now."""
        return self.due(now).exclude(enqueue_again_at__gt=now)

    def newest_first(self) -> "SubmissionQuerySet":
        return self.order_by("-created_at", "-pk")

    def in_flight(self) -> "SubmissionQuerySet":
        """Filter to submissions that the provider may be working on."""
        return self.open().filter(stage=Stage.SENT)

    def unanswered(self) -> "SubmissionQuerySet":
        """Filter to submissions without an outcome, whether sent or not."""
        return self.filter(stage__in=(Stage.NEW, Stage.SENT))

    def being_sent(self, now: datetime.datetime) -> "SubmissionQuerySet":
        """Filter to submissions whose sending call is under way and may yet return a task id."""
        may_be = self.open().filter(call_ended_at__isnull=True)
        return may_be.filter(sent_at__gt=now - max_call_time())

    def record(self, pk: uuid.UUID, task_id: str, **reported: Any) -> bool:
        """Record the reported outcome of a task whose id is known; True when it was the first.

        Every callback waits for this, so it is one short statement that also marks the next step.
        """
        waiting = self.filter(pk=pk, stage=Stage.SENT, task_id=task_id)
        return waiting.update(stage=Stage.ANSWERED, enqueue_again_at=None, **reported) == 1

    def record_early(
        self, pk: uuid.UUID, task_id: str, *, due_at: datetime.datetime, **reported: Any
    ) -> bool:
        """Record an outcome that arrived before the answer that names its task; True when recorded.

        It is held until ``accept`` confirms the task id, or until that answer can no longer come.
        An outcome of a task that is known to be another swap's is not recorded.
        """
        others = self.exclude(pk=pk)
        if others.filter(task_id=task_id, accepted_at__isnull=False).exists():
            return False
        waiting = self.unanswered().filter(pk=pk, task_id="")
        recorded = waiting.update(
            stage=Stage.ANSWERED,
            task_id=task_id,
            enqueue_again_at=None,
            due_at=Case(
                When(call_ended_at__isnull=False, then=Value(due_at)),
                default=Value(due_at + max_call_time()),
                output_field=models.DateTimeField(),
            ),
            **reported,
        )
        return recorded == 1

    def discard_outcomes(self, due_at: datetime.datetime) -> None:
        """Delete outcomes that belong to another task, log them for staff, and go on waiting."""
        for pk in list(self.filter(stage=Stage.ANSWERED).values_list("pk", flat=True)):
            with transaction.atomic():
                astray = self.filter(stage=Stage.ANSWERED).get_locked(pk)
                if astray is None:
                    continue
                if astray.answered_at and astray.callback:
                    ProviderCallback.objects.record(
                        astray.pk, Verdict.OTHER_TASK, astray.callback, astray.answered_at
                    )
                self.filter(pk=pk).update(**NO_OUTCOME, due_at=due_at)

    def get_locked(self, pk: uuid.UUID) -> Any:
        """Return the submission locked; its swap is locked first, as everywhere."""
        Swap.objects.select_for_update().filter(pk=pk).first()
        return self.select_for_update().filter(pk=pk).first()

    def lock_if_unchanged(self, snapshot: Any) -> bool:
        """Lock the row until the transaction ends; True when it is still as in ``snapshot``."""
        same = {"stage": snapshot.stage, "task_id": snapshot.task_id}
        return self.select_for_update().filter(pk=snapshot.pk, **same).first() is not None

    def end(self, swap: Swap) -> None:
        """End the submission of an ended swap, and delete all links to pictures from it."""
        self.filter(pk=swap.pk).exclude(stage=Stage.ENDED).update(
            stage=Stage.ENDED,
            ended_at=timezone.now(),
            due_at=None,
            enqueue_again_at=None,
            request=None,
            image_url="",
            callback="",
        )
