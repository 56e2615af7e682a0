"""Submissions: a swap in the hands of a hosted provider, and which step is due next.

    new ──mark_sent──> sent ──record──> answered ──> ended
     ^                  │
     └─schedule_resend──┘    (a submission may end from any stage: the swap's own row decides)

Every change is a compare-and-set, like those of the swap.
"""

import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone

from swaps import messages
from swaps.models.submission_queryset import LEASE, Stage, SubmissionQuerySet
from swaps.models.swap import Swap


class Submission(models.Model):
    """What was sent to the hosted provider for one swap, what came back, and what is due next."""

    swap = models.OneToOneField(
        Swap, models.CASCADE, primary_key=True, related_name="submission", editable=False
    )
    stage = models.CharField(max_length=8, choices=Stage, default=Stage.NEW)
    task_id = models.CharField(max_length=200, blank=True, help_text="What the provider calls it.")
    request = models.JSONField(null=True, help_text="What is sent, until it has ended.")
    signed_at = models.DateTimeField(null=True, help_text="Since when the URLs in it work.")
    sends = models.PositiveSmallIntegerField(
        default=0, help_text="How often it may have been started there."
    )
    refusals = models.PositiveSmallIntegerField(
        default=0, help_text="How often the provider would not take it just then."
    )
    failures = models.PositiveSmallIntegerField(
        default=0, help_text="How often asking for it, or fetching its picture, failed."
    )
    # Earlier versions kept English in here.
    problem = models.CharField(max_length=300, blank=True, help_text="The last one.")
    problem_params = models.JSONField(null=True)  # for ``messages.text``
    image_url = models.TextField(blank=True)
    callback = models.TextField(blank=True, help_text="As it came, until it is filed.")
    error_code = models.CharField(max_length=40, blank=True, help_text="As the provider says it.")
    error_message = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    sent_at = models.DateTimeField(null=True)
    accepted_at = models.DateTimeField(null=True, help_text="Its answer came: the task is known.")
    call_ended_at = models.DateTimeField(
        null=True, help_text="The call that sent it is over: no answer to it can come any more."
    )
    answered_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True, default=timezone.now, help_text="Its next step.")
    enqueue_again_at = models.DateTimeField(
        null=True, help_text="Its next step is enqueued, and until then it is not lost."
    )

    objects: ClassVar[SubmissionQuerySet] = SubmissionQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        indexes = [
            models.Index(
                "stage", "due_at", name="submission_step", condition=Q(due_at__isnull=False)
            ),
            models.Index("task_id", name="submission_task"),
            models.Index(F("created_at").desc(), name="submission_newest"),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def is_open(self) -> bool:
        return self.stage != Stage.ENDED

    @property
    def is_failure(self) -> bool:
        """Whether an answered submission has failed: the provider gave no picture."""
        return not self.image_url

    @property
    def last_problem(self) -> messages.Message:
        """What went wrong last, as a code and parameters."""
        return self.problem_params or {"code": "row.text", "text": self.problem}

    @property
    def problem_text(self) -> str:
        """The message that tells staff why it failed last."""
        return messages.text(self.last_problem)

    # --- what may happen to it ------------------------------------------------------------

    def claim(self, stage: Stage, now: datetime.datetime) -> bool:
        """Claim the next step of this stage if it is due; True for the caller that got it.

        A step that is cut off is due again when its lease has ended.
        """
        ends_at = now + LEASE
        mine = Submission.objects.due(now).filter(pk=self.pk, stage=stage)
        return self._refresh_and_check(mine.update(due_at=ends_at, enqueue_again_at=ends_at))

    def mark_sent(
        self, now: datetime.datetime, request: dict[str, str], signed_at: datetime.datetime
    ) -> bool:
        """Record that it is sent now; if nothing comes back, it is due at the callback deadline."""
        deadline = datetime.timedelta(seconds=settings.FACESWAP_CALLBACK_DEADLINE)
        mine = Submission.objects.due(now).filter(pk=self.pk, stage=Stage.NEW)
        return self._refresh_and_check(
            mine.update(
                stage=Stage.SENT,
                request=request,
                signed_at=signed_at,
                sends=F("sends") + 1,
                sent_at=now,
                due_at=now + deadline,
                enqueue_again_at=None,
                call_ended_at=None,
            )
        )

    def accept(self, task_id: str, now: datetime.datetime, next_look_at: datetime.datetime) -> bool:
        """Record the task id that the provider gave in its answer, and end the call.

        Returns True when the outcome of this task arrived before the answer, so that its picture
        can be fetched now. An outcome of another task that was recorded here is discarded, and so
        is one of this task that another submission, still without a task id, recorded as its own.
        """
        unnamed = Submission.objects.open().filter(accepted_at__isnull=True)
        mine = unnamed.filter(pk=self.pk, stage__in=(Stage.SENT, Stage.ANSWERED))
        with transaction.atomic():
            locked = mine.get_locked(self.pk)  # a callback that arrives now has to wait
            is_here = locked is not None and locked.task_id == task_id
            if not is_here:
                mine.discard_outcomes(next_look_at)
            mine.update(
                task_id=task_id,
                accepted_at=now,
                call_ended_at=now,
                due_at=now if is_here else next_look_at,
            )
        unnamed.filter(task_id=task_id).exclude(pk=self.pk).discard_outcomes(next_look_at)
        self.refresh_from_db()
        return is_here

    def discard_outcome(self, due_at: datetime.datetime) -> None:
        """Delete the recorded outcome because it belongs to another swap, and go on waiting."""
        mine = Submission.objects.open().filter(pk=self.pk, task_id=self.task_id)
        mine.discard_outcomes(due_at)
        self.refresh_from_db()

    def end_call(self, now: datetime.datetime, problem: messages.Message) -> bool:
        """Record that the sending call ended without a task id.

        True when an outcome has arrived anyway.
        """
        mine = Submission.objects.open().filter(pk=self.pk)
        mine.update(problem_params=problem, call_ended_at=now)
        return self._refresh_and_check(mine.filter(stage=Stage.ANSWERED).update(due_at=now))

    def schedule_resend(
        self,
        due_at: datetime.datetime,
        *,
        problem: messages.Message,
        was_started: bool,
        is_refusal: bool,
    ) -> bool:
        """Put it back to ``new``, to be sent again at ``due_at``.

        ``was_started`` is False when the provider certainly started nothing: then the send does not
        count. ``is_refusal`` counts it as a refusal.
        """
        mine = Submission.objects.filter(pk=self.pk, stage=Stage.SENT)
        return self._refresh_and_check(
            mine.update(
                stage=Stage.NEW,
                sends=F("sends") - (0 if was_started else 1),
                refusals=F("refusals") + int(is_refusal),
                problem_params=problem,
                due_at=due_at,
                enqueue_again_at=None,
                call_ended_at=timezone.now(),
            )
        )

    def decrement_sends(self) -> bool:
        """Take back the last send of an ended submission, because that call started nothing.

        True when none of its calls has started anything.
        """
        mine = Submission.objects.filter(pk=self.pk, stage=Stage.ENDED, answered_at__isnull=True)
        mine = mine.filter(sent_at=self.sent_at)
        return (
            self._refresh_and_check(mine.filter(sends__gt=0).update(sends=F("sends") - 1))
            and not self.sends
        )

    def clear_enqueue_lease(self) -> None:
        """Let it be enqueued again: it is not its turn yet, and it keeps its place in the queue."""
        mine = Submission.objects.filter(pk=self.pk, stage=Stage.NEW)
        self._refresh_and_check(mine.update(enqueue_again_at=None))

    def postpone(
        self,
        due_at: datetime.datetime,
        *,
        problem: messages.Message | None = None,
        failures: int = 0,
    ) -> bool:
        """Move the next step to ``due_at``, unless its stage has changed since it was read."""
        mine = Submission.objects.open().filter(pk=self.pk, stage=self.stage)
        return self._refresh_and_check(
            mine.update(
                due_at=due_at,
                enqueue_again_at=None,
                failures=F("failures") + failures,
                **({"problem_params": problem} if problem else {}),
            )
        )

    def _refresh_and_check(self, rows: int) -> bool:
        """Reload the row; True when the update matched it."""
        self.refresh_from_db()
        return rows == 1
