"""Asks the provider for the outcome of a swap whose callback did not come.

Where nobody can be asked, because the task is not known, the swap is sent again.
"""

import datetime
import logging
from typing import Any

from django.utils import timezone

from swaps import errors
from swaps.hosted import client
from swaps.hosted.record import record_outcome
from swaps.hosted.retry_policy import MAX_DEADLINES, MAX_SENDS, backoff, callback_deadline, give_up
from swaps.hosted.schedule import enqueue_step
from swaps.hosted.send import requeue_for_resend
from swaps.lifecycle.settle import settle
from swaps.models import Stage, Submission
from swaps.models.submission_queryset import max_call_time
from swaps.providers.base import Accepted, Answered, ProviderError, RetryLater

log = logging.getLogger(__name__)


def ask_for_outcome(submission: Submission) -> None:
    """Ask for the outcome of a submission that is due; resend it when its task is unknown."""
    now = timezone.now()
    if not submission.claim(Stage.SENT, now):
        return
    if not submission.task_id:
        _resend(submission, now)
        return
    try:
        answer = client.get_task(submission.task_id)
    except RetryLater as trouble:
        _retry_later(submission, trouble, trouble.retry_after)
    except (errors.NotFound, errors.ApiNotImplemented):
        give_up(submission)
    except errors.SwapError as error:
        if isinstance(error.__cause__, ProviderError):  # our key is refused: not the swap's end
            _retry_later(submission, error.__cause__)
        else:
            settle(submission.swap, error, snapshot=submission)
    else:
        _handle_status(submission, answer)


def _retry_later(
    submission: Submission, trouble: ProviderError, retry_after: float | None = None
) -> None:
    """Ask again later, because the provider did not tell."""
    log.warning("swap=%s cannot be asked for: %s", submission.pk, trouble)
    pause = max(backoff(submission.failures), datetime.timedelta(seconds=retry_after or 0))
    _postpone_or_give_up(submission, pause, problem=trouble.explanation, failures=1)


def _handle_status(submission: Submission, answer: Accepted | Answered) -> None:
    """Record an outcome, or ask again later while the provider is at work."""
    if isinstance(answer, Accepted):
        _postpone_or_give_up(submission, callback_deadline() / 4)
    elif record_outcome(submission, answer, timezone.now()):
        enqueue_step(submission, Stage.ANSWERED)


def _postpone_or_give_up(submission: Submission, pause: datetime.timedelta, **changes: Any) -> None:
    """Postpone the next question, or give up after ``MAX_DEADLINES`` deadlines."""
    now = timezone.now()
    if now - (submission.sent_at or now) > MAX_DEADLINES * callback_deadline():
        give_up(submission)
    else:
        submission.postpone(now + pause, **changes)


def _resend(submission: Submission, now: datetime.datetime) -> None:
    """Resend a submission whose response was lost and whose deadline is over.

    It has the same idempotency key: a provider that knows it does nothing twice.
    """
    call_ends_at = (submission.sent_at or now) + max_call_time()
    if submission.call_ended_at is None and now < call_ends_at:
        submission.postpone(call_ends_at)  # it is still under way
    elif submission.sends >= MAX_SENDS:
        give_up(submission)
    else:
        requeue_for_resend(
            submission,
            now,
            problem=submission.last_problem,
            was_started=True,
            is_refusal=False,
        )
