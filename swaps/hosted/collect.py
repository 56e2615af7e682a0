"""Collects outcomes: fetches the result that the provider made, and settles the swap."""

import datetime
import logging

from django.utils import timezone

from swaps import errors, net
from swaps.hosted import client
from swaps.hosted.retry_policy import backoff, callback_deadline, result_expired
from swaps.lifecycle.settle import settle
from swaps.models import Stage, Submission
from swaps.providers.base import Answered, RetryLater

RESPONSE_PAUSE = datetime.timedelta(seconds=1)

log = logging.getLogger(__name__)


def collect(submission: Submission) -> None:
    """Settle a swap by its recorded outcome; fetch the result when there is one."""
    if not submission.claim(Stage.ANSWERED, timezone.now()):
        return
    if not (submission.accepted_at or _confirm_task_id(submission)):
        return
    swap = submission.swap
    if submission.is_failure:
        error = client.to_swap_error(submission.error_code, submission.error_message)
        settle(swap, error, snapshot=submission)
        return
    try:
        finished = client.fetch_result(submission.image_url, target_key=swap.target_key)
    except (net.NotReached, net.BadResponse) as error:
        _retry_fetch(submission, error)
    except (errors.Overloaded, errors.TooManyRequests) as error:
        again = timezone.now() + datetime.timedelta(seconds=error.retry_after)
        submission.postpone(again, problem=error.explanation)
    except FileNotFoundError:  # the target: removed meanwhile, or lost
        settle(swap, errors.ApiError("broke"), snapshot=submission)
    except errors.SwapError as error:
        settle(swap, error, snapshot=submission)
    else:
        settle(swap, finished, snapshot=submission)


def _confirm_task_id(submission: Submission) -> bool:
    """Return True when a task that is known from the callback alone belongs to no other swap.

    The response to any call that was under way when the callback came may tell: until then the
    submission is postponed; when the task is another's, the outcome is discarded.
    """
    now = timezone.now()
    others = Submission.objects.exclude(pk=submission.pk)
    if others.filter(task_id=submission.task_id, accepted_at__isnull=False).exists():
        submission.discard_outcome((submission.sent_at or now) + callback_deadline())
        return False
    if others.being_sent(now).filter(sent_at__lte=submission.answered_at or now).exists():
        submission.postpone(now + RESPONSE_PAUSE)
        return False
    return True


def _retry_fetch(submission: Submission, error: net.NetError) -> None:
    """Fetch the result again later, as long as the provider may keep it."""
    now = timezone.now()
    log.warning("swap=%s its picture cannot be fetched: %s", submission.pk, error)
    if result_expired(submission, now):
        settle(submission.swap, errors.ApiError("result_lost"), snapshot=submission)
        return
    if isinstance(error, net.BadResponse):
        _ask_for_fresh_url(submission)
    submission.postpone(now + backoff(submission.failures), problem=error.explanation, failures=1)


def _ask_for_fresh_url(submission: Submission) -> None:
    """Ask the provider for a new URL of the result: the reported one may have expired."""
    try:
        answer = client.get_task(submission.task_id)
    except (RetryLater, errors.SwapError):
        return
    if isinstance(answer, Answered):
        mine = Submission.objects.filter(pk=submission.pk, stage=Stage.ANSWERED)
        mine.filter(task_id=submission.task_id).update(image_url=answer.image_url)
