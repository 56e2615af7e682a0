"""Hand a swap to the provider, and make something of what it says to that."""

import datetime
import logging
import secrets
from collections.abc import Callable
from dataclasses import asdict
from functools import partial

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from swaps import errors, links
from swaps.hosted import client
from swaps.hosted.record import record
from swaps.hosted.retry_policy import MAX_REFUSALS, backoff, deadline
from swaps.hosted.schedule import enqueue_step
from swaps.lifecycle.settle import refund, settle
from swaps.messages import Message
from swaps.models import HostedProvider, Stage, Status, Submission
from swaps.providers.base import Accepted, Answered, RemoteRequest, ResponseLost, RetryLater

SOON = datetime.timedelta(seconds=5)

log = logging.getLogger(__name__)


def send(submission: Submission) -> None:
    """Hand it to the provider, unless that is down, or has enough to do."""
    if not take_turn(submission, timezone.now()):
        return
    try:
        answer = client.submit(RemoteRequest(**(submission.request or {})))
    except errors.SwapError as error:
        fail = partial(settle, submission.swap, error, snapshot=submission)
        _began_nothing(submission, error.explanation, fail)
        HostedProvider.objects.record_success(timezone.now())
    except RetryLater as trouble:
        _not_taken(submission, trouble)
    except ResponseLost as trouble:
        _answer_lost(submission, trouble)
    else:
        _taken(submission, answer)
        HostedProvider.objects.record_success(timezone.now())


def take_turn(submission: Submission, now: datetime.datetime) -> bool:
    """True when it is this one's turn; then it counts as sent, whatever happens from here on."""
    request, signed_at = _request(submission, now)
    with transaction.atomic():
        provider = HostedProvider.objects.get_locked()
        submission.swap.lock()
        if not Submission.objects.due(now).filter(pk=submission.pk, stage=Stage.NEW).exists():
            return False  # another task was faster
        if provider.paused_until(now):
            submission.clear_enqueue_lease()
            if provider.is_down and not submission.swap.is_parked:
                submission.swap.requeue_unsent(is_parked=True)
            return False
        if Submission.objects.in_flight().count() >= settings.FACESWAP_HOSTED_IN_FLIGHT:
            submission.clear_enqueue_lease()  # until there is room: ``send_next``
            return False
        if not (submission.swap.mark_sent() and submission.mark_sent(now, request, signed_at)):
            transaction.set_rollback(True)
            return False
        if provider.is_down:
            provider.begin_trial(now)
    return True


def _request(
    submission: Submission, now: datetime.datetime
) -> tuple[dict[str, str], datetime.datetime]:
    """What is sent, and since when its URLs work: the same again, as long as they do."""
    signed_at = submission.signed_at
    if submission.request and signed_at and now - signed_at < client.SLACK + deadline():
        return submission.request, signed_at
    swap = submission.swap
    made = RemoteRequest(
        source_image_url=client.picture_url(swap.source_key),
        target_image_url=client.picture_url(swap.target_key),
        callback_url=links.callback_url(swap.pk),
        idempotency_key=f"{swap.pk}.{secrets.token_hex(4)}",
    )
    return asdict(made), now


def _taken(submission: Submission, answer: Accepted | Answered) -> None:
    now = timezone.now()
    begun = submission.sent_at or now
    # One that was sent before may long be done, and its outcome may be what was lost.
    look_at = begun + deadline() if submission.sends == 1 else now + SOON
    is_here = submission.accept(answer.task_id, now, look_at)
    log.info("swap=%s taken by the provider sends=%d", submission.pk, submission.sends)
    if isinstance(answer, Answered):
        is_here = record(submission, answer, now) or is_here
    if is_here:
        enqueue_step(submission, Stage.ANSWERED)


def _not_taken(submission: Submission, trouble: RetryLater) -> None:
    now = timezone.now()
    log.warning("swap=%s not taken by the provider: %s", submission.pk, trouble)
    away_for = datetime.timedelta(seconds=trouble.retry_after or 0)
    pause = max(backoff(submission.refusals), away_for)
    if trouble.is_busy or trouble.retry_after:
        HostedProvider.objects.pause_until(now + pause)
    if trouble.is_busy:
        HostedProvider.objects.record_success(now)
        # With others at work there it is the site that asks for too much, not this swap.
        is_refusal = not Submission.objects.in_flight().exclude(pk=submission.pk).exists()
    else:
        is_refusal = not HostedProvider.objects.current().is_down  # or it was a trial
        HostedProvider.objects.record_failure(now, trouble.explanation, away_for=away_for)
    if is_refusal and submission.refusals >= MAX_REFUSALS:
        error = errors.ApiError("provider_refused")
        then = partial(settle, submission.swap, error, snapshot=submission)
    else:
        then = partial(
            take_back,
            submission,
            now + pause,
            problem=trouble.explanation,
            was_started=False,
            is_refusal=is_refusal,
        )
    _began_nothing(submission, trouble.explanation, then)


def take_back(
    submission: Submission,
    due_at: datetime.datetime,
    *,
    problem: Message,
    was_started: bool,
    is_refusal: bool,
) -> None:
    """To be sent again then, with its swap in the queue. It may have gone on by itself."""
    is_parked = HostedProvider.objects.current().is_down
    with transaction.atomic():
        submission.swap.lock()
        if submission.schedule_resend(
            due_at, problem=problem, was_started=was_started, is_refusal=is_refusal
        ):
            submission.swap.requeue_unsent(is_parked=is_parked)


def _began_nothing(submission: Submission, problem: Message, then: Callable[[], None]) -> None:
    """The call is over: ``then`` says what comes of its swap.

    Not if that has an outcome all the same, by an earlier call. Nor if it was deleted during this
    one: then it does not count after all.
    """
    if _has_outcome(submission, problem):
        return
    with transaction.atomic():
        submission.swap.lock()
        if submission.swap.status != Status.REMOVED:
            then()
        elif submission.decrement_sends():
            refund(submission.swap)


def _has_outcome(submission: Submission, problem: Message) -> bool:
    """The call that sent it is over, and its answer named no task. The callback may be faster."""
    has_outcome = submission.end_call(timezone.now(), problem)
    if has_outcome:
        enqueue_step(submission, Stage.ANSWERED)
    return has_outcome


def _answer_lost(submission: Submission, trouble: ResponseLost) -> None:
    """It may have been started. What was sent with it finds the way back; its deadline is set."""
    log.warning("swap=%s the provider's answer is lost: %s", submission.pk, trouble)
    _has_outcome(submission, trouble.explanation)
    HostedProvider.objects.record_failure(timezone.now(), trouble.explanation)
