"""Who is next, and what becomes of a step that broke."""

import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from swaps import errors, queue
from swaps.hosted.retry_policy import MAX_FAILURES, backoff, result_expired
from swaps.lifecycle.settle import settle
from swaps.models import HostedProvider, Stage, Submission
from swaps.models.submission_queryset import LEASE
from swaps.models.swap import DISK_FULL_PAUSE

STEPS: dict[Stage, queue.TaskName] = {
    Stage.NEW: "submit_swap",
    Stage.SENT: "ask_provider",
    Stage.ANSWERED: "collect_result",
}


def enqueue_step(submission: Submission, stage: Stage) -> None:
    """Enqueue the task for its next step."""
    queue.enqueue(STEPS[stage], submission.pk)


def send_next(now: datetime.datetime) -> None:
    """Enqueue those that wait longest, as many as there is room for; one as a trial."""
    waiting = Submission.objects.open().filter(stage=Stage.NEW)
    provider = HostedProvider.objects.current()
    if provider.paused_until(now):
        return
    room = settings.FACESWAP_HOSTED_IN_FLIGHT - Submission.objects.in_flight().count()
    room = min(1, room) if provider.is_down else room
    room -= waiting.filter(enqueue_again_at__gt=now).count()
    # The trial is another one each time: it may be the picture that the provider breaks on.
    order = F("sent_at").asc(nulls_first=True) if provider.is_down else F("due_at").asc()
    for submission in waiting.needs_enqueue(now).order_by(order)[: max(0, room)]:
        enqueue_again(submission, now)


def enqueue_again(submission: Submission, now: datetime.datetime) -> None:
    """Of those that are due. A task that is lost is missed after a lease."""
    mine = Submission.objects.needs_enqueue(now).filter(pk=submission.pk)
    with transaction.atomic():
        if mine.update(enqueue_again_at=now + LEASE):
            enqueue_step(submission, Stage(submission.stage))


def enqueue_now(chosen: QuerySet[Submission]) -> list[Submission]:
    """Staff do not want to wait: the next step is due now. Those for which that makes sense."""
    now = timezone.now()
    due_now = []
    for submission in chosen.filter(stage__in=(Stage.SENT, Stage.ANSWERED)).exclude(task_id=""):
        submission.postpone(now)
        enqueue_step(submission, Stage(submission.stage))
        due_now.append(submission)
    return due_now


def retry_or_fail(submission: Submission, *, is_full: bool = False) -> None:
    """A step ended with what nobody thought of. It is tried again, for a while.

    ``is_full``: there was no room for its picture. That comes again, and does not count.
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
