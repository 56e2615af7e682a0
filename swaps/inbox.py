"""What a hosted provider posts to us: kept, judged, handed on. The picture itself is a task."""

import datetime
import uuid

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from swaps import outcomes, submissions
from swaps.log_secrets import hide_secrets
from swaps.models import ProviderCallback, Status, Submission, Verdict

MOST_BYTES = 64_000
MOST_KEPT = 20  # of one swap: whoever has its URL fills no disk


def receive(swap_id: uuid.UUID, body: bytes) -> Verdict:
    """Of all callbacks for one swap, the first that is about its task is accepted.

    What is recorded is due at once: the courier looks for that several times a second.
    """
    try:
        outcome = outcomes.read(body)
    except outcomes.NotUnderstood:
        return _refuse(swap_id, None, body)
    now = timezone.now()
    mine = Submission.objects.filter(pk=swap_id)
    said = {**submissions.reported(outcome, now), "callback": body.decode(errors="replace")}
    if mine.record(outcome.task_id, **said) or mine.record_early(outcome.task_id, **said):
        return Verdict.ACCEPTED
    return _refuse(swap_id, outcome, body)


def file(submission: Submission) -> None:
    """Move the callback that was accepted to the others, for staff."""
    if submission.callback:
        with transaction.atomic():
            if Submission.objects.filter(pk=submission.pk).exclude(callback="").update(callback=""):
                _keep(submission, Verdict.ACCEPTED, submission.callback, submission.answered_at)


def _refuse(swap_id: uuid.UUID, outcome: outcomes.Outcome | None, body: bytes) -> Verdict:
    submission = Submission.objects.filter(pk=swap_id).select_related("swap").first()
    if submission is None or submission.swap.status == Status.REMOVED:
        return Verdict.REMOVED  # nothing of it is kept any more
    verdict = _judge(submission, outcome)
    _keep(submission, verdict, body.decode(errors="replace"))
    return verdict


def _keep(
    submission: Submission,
    verdict: Verdict,
    body: str,
    received_at: datetime.datetime | None = None,
) -> None:
    if ProviderCallback.objects.filter(swap_id=submission.pk).count() < MOST_KEPT:
        ProviderCallback.objects.create(
            swap_id=submission.pk,
            received_at=received_at or timezone.now(),
            verdict=verdict,
            body=outcomes.scrub(hide_secrets(body), settings.FACESWAP_API_KEY),
        )


def _judge(submission: Submission, outcome: outcomes.Outcome | None) -> Verdict:
    if outcome is None:
        return Verdict.NOT_UNDERSTOOD
    if submission.task_id == outcome.task_id and submission.answered_at:
        return Verdict.REPEATED
    has_waited_in_vain = not submission.is_open and submission.task_id in {"", outcome.task_id}
    return Verdict.LATE if has_waited_in_vain else Verdict.OTHER_TASK
