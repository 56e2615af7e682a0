"""Schedules steps with the provider: which submission is next, and retries after errors."""

import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.lookups import IsNull
from django.utils import timezone

from swaps import errors, queue
from swaps.hosted.retry_policy import MAX_FAILURES, backoff, result_expired
from swaps.lifecycle.settle import settle
from swaps.models import HostedProvider, Stage, Submission
from swaps.models.leased import DISK_FULL_PAUSE
from swaps.models.submission_queryset import LEASE

STEPS: dict[Stage, queue.TaskName] = {
    Stage.NEW: "submit_swap",
    Stage.SENT: "ask_provider",
    Stage.ANSWERED: "collect_result",
}


def enqueue_step(submission: Submission, stage: Stage) -> None:
    """Enqueue the task for the next step of a submission."""
    queue.enqueue(STEPS[stage], submission.pk)


def enqueue_waiting(now: datetime.datetime) -> None:
    """Enqueue the submissions that wait longest, as many as there is room for; one as a trial.

    Those of batches come after all others.
    """
    waiting = Submission.objects.open().filter(stage=Stage.NEW)
    provider = HostedProvider.objects.current()
    if provider.paused_until(now):
        return
    room = settings.FACESWAP_HOSTED_IN_FLIGHT - Submission.objects.in_flight().count()
    room = min(1, room) if provider.is_down else room
    room -= waiting.filter(enqueue_again_at__gt=now).count()
    # Each trial is another swap: its picture may be what the provider breaks on.
    order = F("sent_at").asc(nulls_first=True) if provider.is_down else F("due_at").asc()
    is_of_batch = IsNull(F("swap__batch"), False)
    for submission in waiting.needs_enqueue(now).order_by(is_of_batch, order)[: max(0, room)]:
        enqueue_due(submission, now)


def enqueue_due(submission: Submission, now: datetime.datetime) -> None:
    """Enqueue the step of a submission that is due; a lost task is noticed after a lease."""
    mine = Submission.objects.needs_enqueue(now).filter(pk=submission.pk)
    with transaction.atomic():
        if mine.update(enqueue_again_at=now + LEASE):
            enqueue_step(submission, Stage(submission.stage))


def enqueue_now(chosen: QuerySet[Submission]) -> list[Submission]:
    """Enqueue the next steps of submissions at once; return those that have one."""
    now = timezone.now()
    due_now = []
    for submission in chosen.filter(stage__in=(Stage.SENT, Stage.ANSWERED)).exclude(task_id=""):
        submission.postpone(now)
        enqueue_step(submission, Stage(submission.stage))
        due_now.append(submission)
    return due_now


def retry_or_fail(submission: Submission, *, is_full: bool = False) -> None:
    """Retry a step that broke unexpectedly; fail the swap after ``MAX_FAILURES``.

    ``is_full``: the disk had no room for its picture. That is retried and does not count.
    """
    now = timezone.now()
    submission.refresh_from_db()
    if submission.stage == Stage.SENT and not submission.accepted_at:
        return  # it may be on its way; its deadline stands
    if is_full:
        submission.postpone(now + DISK_FULL_PAUSE, problem={"code": "provider.no_room"})
        return
    is_hopeless = (
        result_expired(submission, now)
        if submission.stage == Stage.ANSWERED
        else submission.failures >= MAX_FAILURES
    )
    if is_hopeless:
        settle(submission.swap, errors.ApiError("broke"), snapshot=submission)
    else:
        pause = backoff(submission.failures)
        submission.postpone(now + pause, problem={"code": "provider.broke"}, failures=1)
