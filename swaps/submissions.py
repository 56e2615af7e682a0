"""Swaps that a hosted provider performs: sent, asked for, collected. One step, one task.

Whatever is cut off stands in the row with the moment at which the clock looks after it. Nothing is
sent a second time before the first one has had all its time to report.
"""

import datetime
import logging
import random
import secrets
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from swaps import errors, links, net, outcomes, services
from swaps.log_secrets import hide_secrets
from swaps.models import HostedProvider, Stage, Status, Submission
from swaps.models.submission import LEASE, longest_call
from swaps.outcomes import Outcome
from swaps.providers import hosted
from swaps.providers.base import (
    Accepted,
    Answered,
    AnswerLost,
    NotNow,
    ProviderTrouble,
    RemoteRequest,
)

MOST_REFUSALS = 5  # as the contract asks of clients
MOST_FAILURES = 10  # of a step before it is sent, on our side
MOST_SENDS = 2  # that may have been started
PATIENCE = 4  # times the deadline, for a provider that says that it is still at work
MOST_WAIT = datetime.timedelta(days=1)  # to be sent
LONGEST_PAUSE_SECONDS = 60.0
SOON = datetime.timedelta(seconds=5)
ANSWERS_COME = datetime.timedelta(seconds=1)

NOT_TAKEN = "The service that makes the pictures could not take this swap. Please try later."
NO_ANSWER = "The service that makes the pictures did not answer in time. Please try again."
NOT_FETCHED = (
    "The finished picture could not be fetched from the service that made it. Please try again."
)

log = logging.getLogger(__name__)


# --- send ---------------------------------------------------------------------------------


def send(submission: Submission) -> None:
    """Hand it to the provider, unless that is down, or has enough to do."""
    if not _take_turn(submission, timezone.now()):
        return
    try:
        answer = hosted.submit(RemoteRequest(**(submission.request or {})))
    except errors.SwapError as error:
        fail = partial(services.settle, submission.swap, error, decided=submission)
        _began_nothing(submission, error.message, fail)
        HostedProvider.objects.note_success(timezone.now())
    except NotNow as trouble:
        _not_taken(submission, trouble)
    except AnswerLost as trouble:
        _answer_lost(submission, trouble)
    else:
        _taken(submission, answer)
        HostedProvider.objects.note_success(timezone.now())


def _take_turn(submission: Submission, now: datetime.datetime) -> bool:
    """True when it is this one's turn; then it counts as sent, whatever happens from here on."""
    request, signed_at = _request(submission, now)
    with transaction.atomic():
        provider = HostedProvider.objects.locked()
        submission.swap.lock()
        if not Submission.objects.due(now).filter(pk=submission.pk, stage=Stage.NEW).exists():
            return False  # another task was faster
        if provider.holds_until(now):
            submission.let_wait()
            if provider.is_down and not submission.swap.is_parked:
                submission.swap.take_back(is_parked=True)
            return False
        if Submission.objects.in_flight().count() >= settings.FACESWAP_HOSTED_IN_FLIGHT:
            submission.let_wait()  # until there is room: ``send_next``
            return False
        if not (submission.swap.send() and submission.send(now, request, signed_at)):
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
    if submission.request and signed_at and now - signed_at < hosted.SLACK + _deadline():
        return submission.request, signed_at
    swap = submission.swap
    made = RemoteRequest(
        source_image_url=hosted.picture_url(swap.source_key),
        target_image_url=hosted.picture_url(swap.target_key),
        callback_url=links.callback_url(swap.pk),
        idempotency_key=f"{swap.pk}.{secrets.token_hex(4)}",
    )
    return asdict(made), now


def _taken(submission: Submission, answer: Accepted | Answered) -> None:
    now = timezone.now()
    begun = submission.sent_at or now
    # One that was sent before may long be done, and its outcome may be what was lost.
    look_at = begun + _deadline() if submission.sends == 1 else now + SOON
    is_here = submission.accept(answer.task_id, now, look_at)
    log.info("swap=%s taken by the provider sends=%d", submission.pk, submission.sends)
    if isinstance(answer, Answered):
        is_here = _record(submission, answer, now) or is_here
    if is_here:
        enqueue(submission, Stage.ANSWERED)


def _not_taken(submission: Submission, trouble: NotNow) -> None:
    now = timezone.now()
    log.warning("swap=%s not taken by the provider: %s", submission.pk, trouble.problem)
    away_for = datetime.timedelta(seconds=trouble.retry_after or 0)
    pause = max(_pause(submission.refusals), away_for)
    if trouble.is_busy or trouble.retry_after:
        HostedProvider.objects.rest(now + pause)
    if trouble.is_busy:
        HostedProvider.objects.note_success(now)
        # With others at work there it is the site that asks for too much, not this swap.
        is_refusal = not Submission.objects.in_flight().exclude(pk=submission.pk).exists()
    else:
        is_refusal = not HostedProvider.objects.now().is_down  # or it was a trial
        HostedProvider.objects.note_trouble(now, trouble.problem, away_for=away_for)
    if is_refusal and submission.refusals >= MOST_REFUSALS:
        error = errors.ApiError(NOT_TAKEN)
        then = partial(services.settle, submission.swap, error, decided=submission)
    else:
        then = partial(
            _take_back,
            submission,
            now + pause,
            problem=trouble.problem,
            was_started=False,
            is_refusal=is_refusal,
        )
    _began_nothing(submission, trouble.problem, then)


def _take_back(
    submission: Submission,
    due_at: datetime.datetime,
    *,
    problem: str,
    was_started: bool,
    is_refusal: bool,
) -> None:
    is_parked = HostedProvider.objects.now().is_down
    with transaction.atomic():
        submission.swap.lock()
        if submission.take_back(
            due_at, problem=problem, was_started=was_started, is_refusal=is_refusal
        ):
            submission.swap.take_back(is_parked=is_parked)


def _began_nothing(submission: Submission, problem: str, then: Callable[[], None]) -> None:
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
        elif submission.uncount():
            services.refund(submission.swap)


def _has_outcome(submission: Submission, problem: str) -> bool:
    """The call that sent it is over, and its answer named no task. The callback may be faster."""
    has_outcome = submission.end_call(timezone.now(), problem)
    if has_outcome:
        enqueue(submission, Stage.ANSWERED)
    return has_outcome


def _answer_lost(submission: Submission, trouble: AnswerLost) -> None:
    """It may have been started. What was sent with it finds the way back; its deadline is set."""
    log.warning("swap=%s the provider's answer is lost: %s", submission.pk, trouble.problem)
    _has_outcome(submission, trouble.problem)
    HostedProvider.objects.note_trouble(timezone.now(), trouble.problem)


# --- ask ----------------------------------------------------------------------------------


def ask(submission: Submission) -> None:
    """No outcome came in time: ask for it, where there is something to ask for."""
    now = timezone.now()
    if not submission.claim(Stage.SENT, now):
        return
    if not submission.task_id:
        _send_again(submission, now)
        return
    try:
        answer = hosted.ask(submission.task_id)
    except NotNow as trouble:
        _not_told(submission, trouble, trouble.retry_after)
    except (errors.NotFound, errors.ApiNotImplemented):
        give_up(submission)
    except errors.SwapError as error:
        if isinstance(error.__cause__, ProviderTrouble):  # our key is refused: not the swap's end
            _not_told(submission, error.__cause__)
        else:
            services.settle(submission.swap, error, decided=submission)
    else:
        _asked(submission, answer)


def _not_told(
    submission: Submission, trouble: ProviderTrouble, retry_after: float | None = None
) -> None:
    log.warning("swap=%s cannot be asked for: %s", submission.pk, trouble.problem)
    pause = max(_pause(submission.failures), datetime.timedelta(seconds=retry_after or 0))
    _ask_later(submission, pause, problem=trouble.problem, failures=1)


def _asked(submission: Submission, answer: Accepted | Answered) -> None:
    if isinstance(answer, Accepted):
        _ask_later(submission, _deadline() / 4)
    elif _record(submission, answer, timezone.now()):
        enqueue(submission, Stage.ANSWERED)


def _ask_later(submission: Submission, pause: datetime.timedelta, **note: Any) -> None:
    """As long as our patience lasts."""
    now = timezone.now()
    if now - (submission.sent_at or now) > PATIENCE * _deadline():
        give_up(submission)
    else:
        submission.postpone(now + pause, **note)


def _record(submission: Submission, answered: Answered, now: datetime.datetime) -> bool:
    outcome = Outcome(task_id=answered.task_id, image_url=answered.image_url)
    return Submission.objects.record(submission.pk, outcome.task_id, **reported(outcome, now))


def reported(outcome: Outcome, now: datetime.datetime) -> dict[str, Any]:
    """The columns in which an outcome is kept until it is collected, which may be now."""
    return {
        "image_url": outcome.image_url,
        "error_code": outcome.error_code[:40],
        "error_message": outcomes.scrub(
            hide_secrets(outcome.error_message), settings.FACESWAP_API_KEY
        )[:500],
        "answered_at": now,
        "due_at": now,
    }


def _send_again(submission: Submission, now: datetime.datetime) -> None:
    """The answer to our call was lost, and its deadline is over without an outcome.

    It carries the same idempotency key: a provider that knows it does nothing twice.
    """
    call_ends_at = (submission.sent_at or now) + longest_call()
    if submission.call_ended_at is None and now < call_ends_at:
        submission.postpone(call_ends_at)  # it is still under way
    elif submission.sends >= MOST_SENDS:
        give_up(submission)
    else:
        _take_back(submission, now, problem=submission.problem, was_started=True, is_refusal=False)


def give_up(submission: Submission) -> None:
    """It has had all the time that it may have."""
    services.settle(submission.swap, errors.Timeout(NO_ANSWER), decided=submission)


# --- collect ------------------------------------------------------------------------------


def collect(submission: Submission) -> None:
    """Bring home what came of it, and end the swap with that."""
    if not submission.claim(Stage.ANSWERED, timezone.now()):
        return
    if not (submission.accepted_at or _is_its_own(submission)):
        return
    swap = submission.swap
    if submission.is_failure:
        error = hosted.error_of(submission.error_code, submission.error_message)
        services.settle(swap, error, decided=submission)
        return
    try:
        finished = hosted.fetch_result(submission.image_url, target_key=swap.target_key)
    except (net.NotReached, net.BadAnswer) as error:
        _try_again(submission, error)
    except FileNotFoundError:  # the target: removed meanwhile, or lost
        services.settle(swap, errors.ApiError(errors.BROKE), decided=submission)
    except errors.SwapError as error:
        services.settle(swap, error, decided=submission)
    else:
        services.settle(swap, finished, decided=submission)


def _is_its_own(submission: Submission) -> bool:
    """Its task is known from the callback alone: is it nobody else's?

    That may be told by the answer to any call that was under way when the callback came.
    """
    now = timezone.now()
    others = Submission.objects.exclude(pk=submission.pk)
    if others.filter(task_id=submission.task_id, accepted_at__isnull=False).exists():
        submission.forget_outcome((submission.sent_at or now) + _deadline())
        return False
    if others.on_the_wire(now).filter(sent_at__lte=submission.answered_at or now).exists():
        submission.postpone(now + ANSWERS_COME)
        return False
    return True


def _try_again(submission: Submission, error: net.NetError) -> None:
    """As long as the picture may be there."""
    now = timezone.now()
    log.warning("swap=%s its picture cannot be fetched: %s", submission.pk, error.message)
    if _has_had_its_time(submission, now):
        services.settle(submission.swap, errors.ApiError(NOT_FETCHED), decided=submission)
        return
    if isinstance(error, net.BadAnswer):
        _ask_for_fresh_url(submission)
    submission.postpone(now + _pause(submission.failures), problem=error.message, failures=1)


def _has_had_its_time(submission: Submission, now: datetime.datetime) -> bool:
    life = datetime.timedelta(seconds=settings.FACESWAP_HOSTED_RESULT_SECONDS)
    return now - (submission.answered_at or now) > life


def _ask_for_fresh_url(submission: Submission) -> None:
    """The one that was reported may have ended."""
    try:
        answer = hosted.ask(submission.task_id)
    except (NotNow, errors.SwapError):
        return
    if isinstance(answer, Answered):
        mine = Submission.objects.filter(pk=submission.pk, stage=Stage.ANSWERED)
        mine.filter(task_id=submission.task_id).update(image_url=answer.image_url)


# --- who is next --------------------------------------------------------------------------


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


def broke(submission: Submission) -> None:
    """A step ended with what nobody thought of. It is tried again, for a while."""
    now = timezone.now()
    submission.refresh_from_db()
    if submission.stage == Stage.SENT and not submission.accepted_at:
        return  # it may be on its way; its deadline stands
    is_hopeless = (
        _has_had_its_time(submission, now)
        if submission.stage == Stage.ANSWERED
        else submission.failures >= MOST_FAILURES
    )
    if is_hopeless:
        services.settle(submission.swap, errors.ApiError(errors.BROKE), decided=submission)
    else:
        pause = _pause(submission.failures)
        submission.postpone(now + pause, problem="It broke on our side.", failures=1)


def _deadline() -> datetime.timedelta:
    return datetime.timedelta(seconds=settings.FACESWAP_CALLBACK_DEADLINE)


def _pause(failures: int) -> datetime.timedelta:
    """1, 2, 4, 8 … seconds, and up to a half more, so that they do not all come back at once."""
    seconds = min(LONGEST_PAUSE_SECONDS, 2.0 ** min(failures, 10))
    return datetime.timedelta(seconds=seconds * random.uniform(1, 1.5))  # noqa: S311  no secret
