"""Ask the provider for a swap of which no outcome came; send it again where nobody can be asked."""

import datetime
import logging
from typing import Any

from django.utils import timezone

from swaps import errors
from swaps.hosted import client
from swaps.hosted.record import record
from swaps.hosted.retry_policy import MAX_DEADLINES, MAX_SENDS, backoff, deadline, give_up
from swaps.hosted.schedule import enqueue_step
from swaps.hosted.send import take_back
from swaps.lifecycle.settle import settle
from swaps.models import Stage, Submission
from swaps.models.submission_queryset import max_call_time
from swaps.providers.base import Accepted, Answered, ProviderError, RetryLater

log = logging.getLogger(__name__)


def ask(submission: Submission) -> None:
    """No outcome came in time: ask for it, where there is something to ask for."""
    now = timezone.now()
    if not submission.claim(Stage.SENT, now):
        return
    if not submission.task_id:
        _send_again(submission, now)
        return
    try:
        answer = client.ask(submission.task_id)
    except RetryLater as trouble:
        _not_told(submission, trouble, trouble.retry_after)
    except (errors.NotFound, errors.ApiNotImplemented):
        give_up(submission)
    except errors.SwapError as error:
        if isinstance(error.__cause__, ProviderError):  # our key is refused: not the swap's end
            _not_told(submission, error.__cause__)
        else:
            settle(submission.swap, error, snapshot=submission)
    else:
        _asked(submission, answer)


def _not_told(
    submission: Submission, trouble: ProviderError, retry_after: float | None = None
) -> None:
    log.warning("swap=%s cannot be asked for: %s", submission.pk, trouble)
    pause = max(backoff(submission.failures), datetime.timedelta(seconds=retry_after or 0))
    _ask_later(submission, pause, problem=trouble.explanation, failures=1)


def _asked(submission: Submission, answer: Accepted | Answered) -> None:
    if isinstance(answer, Accepted):
        _ask_later(submission, deadline() / 4)
    elif record(submission, answer, timezone.now()):
        enqueue_step(submission, Stage.ANSWERED)


def _ask_later(submission: Submission, pause: datetime.timedelta, **note: Any) -> None:
    """As long as our patience lasts."""
    now = timezone.now()
    if now - (submission.sent_at or now) > MAX_DEADLINES * deadline():
        give_up(submission)
    else:
        submission.postpone(now + pause, **note)


def _send_again(submission: Submission, now: datetime.datetime) -> None:
    """The answer to our call was lost, and its deadline is over without an outcome.

    It carries the same idempotency key: a provider that knows it does nothing twice.
    """
    call_ends_at = (submission.sent_at or now) + max_call_time()
    if submission.call_ended_at is None and now < call_ends_at:
        submission.postpone(call_ends_at)  # it is still under way
    elif submission.sends >= MAX_SENDS:
        give_up(submission)
    else:
        take_back(
            submission,
            now,
            problem=submission.last_problem,
            was_started=True,
            is_refusal=False,
        )
