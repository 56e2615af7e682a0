"""Who is next, and what becomes of a step that broke."""

import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from swaps import errors, services
from swaps.models import HostedProvider, Stage, Submission
from swaps.models.submission import LEASE
from swaps.models.swap import ROOM_COMES
from swaps.submissions.patience import MOST_FAILURES, has_had_its_time, pause_after


def enqueue(submission: Submission, stage: Stage) -> None:
    """The task for its next step."""
    from swaps import tasks  # they hand over through this module

    task = {
        Stage.NEW: tasks.submit_swap,
        Stage.SENT: tasks.ask_provider,
        Stage.ANSWERED: tasks.collect_result,
    }[stage]
    task.enqueue(str(submission.pk))


def send_next(now: datetime.datetime) -> None:
    """Enqueue those that wait longest, as many as there is room for; one as a trial."""
    waiting = Submission.objects.open().filter(stage=Stage.NEW)
    provider = HostedProvider.objects.now()
    if provider.holds_until(now):
        return
    room = settings.FACESWAP_HOSTED_IN_FLIGHT - Submission.objects.in_flight().count()
    room = min(1, room) if provider.is_down else room
    room -= waiting.filter(enqueue_again_at__gt=now).count()
    # The trial is another one each time: it may be the picture that the provider breaks on.
    order = F("sent_at").asc(nulls_first=True) if provider.is_down else F("due_at").asc()
    for submission in waiting.forgotten(now).order_by(order)[: max(0, room)]:
        enqueue_again(submission, now)


def enqueue_again(submission: Submission, now: datetime.datetime) -> None:
    """Of those that are due. A task that is lost is missed after a lease."""
    mine = Submission.objects.forgotten(now).filter(pk=submission.pk)
    with transaction.atomic():
        if mine.update(enqueue_again_at=now + LEASE):
            enqueue(submission, Stage(submission.stage))


def ask_again(chosen: QuerySet[Submission]) -> list[Submission]:
    """Staff do not want to wait: the next step is due now. Those for which that makes sense."""
    now = timezone.now()
    hurried = []
    for submission in chosen.filter(stage__in=(Stage.SENT, Stage.ANSWERED)).exclude(task_id=""):
        submission.postpone(now)
        enqueue(submission, Stage(submission.stage))
        hurried.append(submission)
    return hurried


def broke(submission: Submission, *, is_full: bool = False) -> None:
    """A step ended with what nobody thought of. It is tried again, for a while.

    ``is_full``: there was no room for its picture. That comes again, and does not count.
    """
    now = timezone.now()
    submission.refresh_from_db()
    if submission.stage == Stage.SENT and not submission.accepted_at:
        return  # it may be on its way; its deadline stands
    if is_full:
        submission.postpone(now + ROOM_COMES, problem="There is no room for its picture.")
        return
    is_hopeless = (
        has_had_its_time(submission, now)
        if submission.stage == Stage.ANSWERED
        else submission.failures >= MOST_FAILURES
    )
    if is_hopeless:
        services.settle(submission.swap, errors.ApiError(errors.BROKE), decided=submission)
    else:
        pause = pause_after(submission.failures)
        submission.postpone(now + pause, problem="It broke on our side.", failures=1)
