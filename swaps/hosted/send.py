"""Sends a swap to the provider, and handles its response."""

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
from swaps.hosted.record import record_outcome
from swaps.hosted.retry_policy import MAX_REFUSALS, backoff, callback_deadline
from swaps.hosted.schedule import enqueue_step
from swaps.lifecycle.settle import refund, settle
from swaps.messages import Message
from swaps.models import HostedProvider, Stage, Status, Submission
from swaps.providers.base import Accepted, Answered, RemoteRequest, ResponseLost, RetryLater

SOON = datetime.timedelta(seconds=5)

log = logging.getLogger(__name__)


def send(submission: Submission) -> None:
    """Send a submission, unless the provider is down or has enough to do."""
    if not claim_turn(submission, timezone.now()):
        return
    try:
        answer = client.submit(RemoteRequest(**(submission.request or {})))
    except errors.SwapError as error:
        fail = partial(settle, submission.swap, error, snapshot=submission)
        _end_unstarted(submission, error.explanation, fail)
        HostedProvider.objects.record_success(timezone.now())
    except RetryLater as trouble:
        _handle_refusal(submission, trouble)
    except ResponseLost as trouble:
        _handle_lost_response(submission, trouble)
    else:
        _handle_accepted(submission, answer)
        HostedProvider.objects.record_success(timezone.now())


def claim_turn(submission: Submission, now: datetime.datetime) -> bool:
    """Claim the turn of a submission; it counts as sent from here on. False when it has to wait."""
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
            submission.clear_enqueue_lease()  # ``enqueue_waiting`` comes when there is room
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
    """Return the request and since when its URLs work; the same one as long as they do."""
    signed_at = submission.signed_at
    if (
        submission.request
        and signed_at
        and now - signed_at < client.URL_SLACK + callback_deadline()
    ):
        return submission.request, signed_at
    swap = submission.swap
    made = RemoteRequest(
        source_image_url=client.picture_url(swap.source_key),
        target_image_url=client.picture_url(swap.target_key),
        callback_url=links.callback_url(swap.pk),
        idempotency_key=f"{swap.pk}.{secrets.token_hex(4)}",
    )
    return asdict(made), now


def _handle_accepted(submission: Submission, answer: Accepted | Answered) -> None:
    """Record that the provider accepted the task, or has finished it."""
    now = timezone.now()
    begun = submission.sent_at or now
    # After a resend the first send may be done already, and its outcome lost: ask soon.
    ask_at = begun + callback_deadline() if submission.sends == 1 else now + SOON
    has_outcome = submission.accept(answer.task_id, now, ask_at)
    log.info("swap=%s taken by the provider sends=%d", submission.pk, submission.sends)
    if isinstance(answer, Answered):
        has_outcome = record_outcome(submission, answer, now) or has_outcome
    if has_outcome:
        enqueue_step(submission, Stage.ANSWERED)


def _handle_refusal(submission: Submission, trouble: RetryLater) -> None:
    """Schedule another try, or fail the swap after too many refusals; update the breaker."""
    now = timezone.now()
    log.warning("swap=%s not taken by the provider: %s", submission.pk, trouble)
    away_for = datetime.timedelta(seconds=trouble.retry_after or 0)
    pause = max(backoff(submission.refusals), away_for)
    if trouble.is_busy or trouble.retry_after:
        HostedProvider.objects.pause_until(now + pause)
    if trouble.is_busy:
        HostedProvider.objects.record_success(now)
        # With other swaps in flight the site sends too many; this swap is not refused.
        is_refusal = not Submission.objects.in_flight().exclude(pk=submission.pk).exists()
    else:
        is_refusal = not HostedProvider.objects.current().is_down  # or it was a trial
        HostedProvider.objects.record_failure(now, trouble.explanation, away_for=away_for)
    if is_refusal and submission.refusals >= MAX_REFUSALS:
        error = errors.ApiError("provider_refused")
        then = partial(settle, submission.swap, error, snapshot=submission)
    else:
        then = partial(
            requeue_for_resend,
            submission,
            now + pause,
            problem=trouble.explanation,
            was_started=False,
            is_refusal=is_refusal,
        )
    _end_unstarted(submission, trouble.explanation, then)


def requeue_for_resend(
    submission: Submission,
    due_at: datetime.datetime,
    *,
    problem: Message,
    was_started: bool,
    is_refusal: bool,
) -> None:
    """Schedule a resend and requeue the swap, unless the submission has gone on by itself."""
    is_parked = HostedProvider.objects.current().is_down
    with transaction.atomic():
        submission.swap.lock()
        if submission.schedule_resend(
            due_at, problem=problem, was_started=was_started, is_refusal=is_refusal
        ):
            submission.swap.requeue_unsent(is_parked=is_parked)


def _end_unstarted(submission: Submission, problem: Message, then: Callable[[], None]) -> None:
    """End a call that started nothing, and run ``then`` for its swap.

    Not when the swap has an outcome all the same, by an earlier call. When it was deleted during
    the call, it is refunded.
    """
    if _end_call(submission, problem):
        return
    with transaction.atomic():
        submission.swap.lock()
        if submission.swap.status != Status.REMOVED:
            then()
        elif submission.decrement_sends():
            refund(submission.swap)


def _end_call(submission: Submission, problem: Message) -> bool:
    """End a call that named no task; return True when a callback was faster, and enqueue that."""
    has_outcome = submission.end_call(timezone.now(), problem)
    if has_outcome:
        enqueue_step(submission, Stage.ANSWERED)
    return has_outcome


def _handle_lost_response(submission: Submission, trouble: ResponseLost) -> None:
    """End a call whose response was lost. The task may run: callback or deadline decides."""
    log.warning("swap=%s the provider's answer is lost: %s", submission.pk, trouble)
    _end_call(submission, trouble.explanation)
    HostedProvider.objects.record_failure(timezone.now(), trouble.explanation)
