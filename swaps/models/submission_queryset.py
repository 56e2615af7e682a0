"""Which submissions are due, and what is recorded of them: single statements on their rows."""

import datetime
import uuid
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import Case, Value, When
from django.utils import timezone

from swaps.models.provider_callback import ProviderCallback, Verdict
from swaps.models.swap import Swap

# An outcome that was recorded too soon, taken out again.
FORGOTTEN: dict[str, Any] = {
    **dict.fromkeys(("task_id", "image_url", "error_code", "error_message", "callback"), ""),
    **dict.fromkeys(("answered_at", "enqueue_again_at")),
    "stage": "sent",
}
LEASE = datetime.timedelta(seconds=60)  # a step that was cut off is made again after this


class Stage(models.TextChoices):
    NEW = "new", "Not sent yet"
    SENT = "sent", "Sent, waiting for the callback"
    ANSWERED = "answered", "Answered, its picture to be fetched"
    ENDED = "ended", "Ended"


def longest_call() -> datetime.timedelta:
    """As long as the answer to a call may take; after that it does not come any more."""
    return datetime.timedelta(seconds=2 * settings.FACESWAP_HOSTED_TIMEOUT_SECONDS + 10)


class SubmissionQuerySet(models.QuerySet[Any]):
    def open(self) -> "SubmissionQuerySet":
        """Not ended. Written so that SQLite, too, finds them by the partial indexes."""
        return self.filter(due_at__isnull=False)

    def due(self, now: datetime.datetime) -> "SubmissionQuerySet":
        return self.filter(due_at__lte=now)

    def needs_enqueue(self, now: datetime.datetime) -> "SubmissionQuerySet":
        """Due, and not in the queue; or in it for so long that its task may be lost."""
        return self.due(now).exclude(enqueue_again_at__gt=now)

    def newest_first(self) -> "SubmissionQuerySet":
        return self.order_by("-created_at", "-pk")

    def in_flight(self) -> "SubmissionQuerySet":
        """What the provider may be working on."""
        return self.open().filter(stage=Stage.SENT)

    def unanswered(self) -> "SubmissionQuerySet":
        return self.filter(stage__in=(Stage.NEW, Stage.SENT))

    def on_the_wire(self, now: datetime.datetime) -> "SubmissionQuerySet":
        """A call is under way that may yet say which task is theirs."""
        may_be = self.open().filter(call_ended_at__isnull=True)
        return may_be.filter(sent_at__gt=now - longest_call())

    def record(self, pk: uuid.UUID, task_id: str, **reported: Any) -> bool:
        """Keep what was reported of a task that is known; one short statement.

        It stands in the way of each callback, so it is also all that enqueues the next step.
        """
        waiting = self.filter(pk=pk, stage=Stage.SENT, task_id=task_id)
        return waiting.update(stage=Stage.ANSWERED, enqueue_again_at=None, **reported) == 1

    def record_early(
        self, pk: uuid.UUID, task_id: str, *, due_at: datetime.datetime, **reported: Any
    ) -> bool:
        """The same while it is not known which task it is: the outcome was faster than the answer.

        It is kept until that answer says so (``accept``), or can no longer come. Not the outcome of
        a task that is known as another swap's.
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
                default=Value(due_at + longest_call()),
                output_field=models.DateTimeField(),
            ),
            **reported,
        )
        return recorded == 1

    def discard_outcomes(self, due_at: datetime.datetime) -> None:
        """What was taken for theirs is of another task: they go on waiting. Staff can see it."""
        for pk in list(self.filter(stage=Stage.ANSWERED).values_list("pk", flat=True)):
            with transaction.atomic():
                astray = self.filter(stage=Stage.ANSWERED).locked(pk)
                if astray is None:
                    continue
                if astray.answered_at and astray.callback:
                    ProviderCallback.objects.keep(
                        astray.pk, Verdict.OTHER_TASK, astray.callback, astray.answered_at
                    )
                self.filter(pk=pk).update(**FORGOTTEN, due_at=due_at)

    def locked(self, pk: uuid.UUID) -> Any:
        """Nobody else changes it until the open transaction ends; its swap first, as ever."""
        Swap.objects.select_for_update().filter(pk=pk).first()
        return self.select_for_update().filter(pk=pk).first()

    def lock_if_unchanged(self, snapshot: Any) -> bool:
        """Nothing came of it since this was read. It stays so until the transaction ends."""
        same = {"stage": snapshot.stage, "task_id": snapshot.task_id}
        return self.select_for_update().filter(pk=snapshot.pk, **same).first() is not None

    def end(self, swap: Swap) -> None:
        """With its swap. Nothing is left in it that shows a picture."""
        self.filter(pk=swap.pk).exclude(stage=Stage.ENDED).update(
            stage=Stage.ENDED,
            ended_at=timezone.now(),
            due_at=None,
            enqueue_again_at=None,
            request=None,
            image_url="",
            callback="",
        )
