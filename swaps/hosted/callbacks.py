"""Receives callbacks of the hosted provider: verdict, record. The picture is fetched by a task."""

import uuid

from django.utils import timezone

from swaps.hosted import parser
from swaps.hosted.record import outcome_columns
from swaps.models import ProviderCallback, Status, Submission, Verdict

MAX_BYTES = 64_000


def receive(swap_id: uuid.UUID, body: bytes) -> Verdict:
    """Record a callback: of all for one swap, the first that is about its task is accepted.

    What is recorded is due at once: the courier looks for that several times a second.
    """
    try:
        outcome = parser.parse_callback(body)
    except parser.NotUnderstood:
        return _refuse(swap_id, None, body)
    now = timezone.now()
    columns = {**outcome_columns(outcome, now), "callback": body.decode(errors="replace")}
    record, record_early = Submission.objects.record, Submission.objects.record_early
    if record(swap_id, outcome.task_id, **columns):
        return Verdict.ACCEPTED
    if Submission.objects.unanswered().filter(pk=swap_id).exists():
        # Once more: the response may have named this task meanwhile.
        for keep in (record_early, record):
            if keep(swap_id, outcome.task_id, **columns):
                return Verdict.ACCEPTED
    return _refuse(swap_id, outcome, body)


def _refuse(swap_id: uuid.UUID, outcome: parser.Outcome | None, body: bytes) -> Verdict:
    """Keep a callback that was not accepted, for staff, and return the verdict on it."""
    submission = Submission.objects.filter(pk=swap_id).select_related("swap").first()
    if submission is None or submission.swap.status == Status.REMOVED:
        return Verdict.REMOVED  # nothing of it is kept any more
    verdict = _judge(submission, outcome)
    text = body.decode(errors="replace")
    ProviderCallback.objects.record(swap_id, verdict, text, timezone.now())
    return verdict


def _judge(submission: Submission, outcome: parser.Outcome | None) -> Verdict:
    if outcome is None:
        return Verdict.NOT_UNDERSTOOD
    if submission.task_id == outcome.task_id and submission.answered_at:
        return Verdict.REPEATED
    has_waited_in_vain = not submission.is_open and submission.task_id in {"", outcome.task_id}
    return Verdict.LATE if has_waited_in_vain else Verdict.OTHER_TASK
