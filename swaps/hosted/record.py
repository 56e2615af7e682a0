"""Records an outcome in its submission until it is collected."""

import datetime
from typing import Any

from django.conf import settings

from swaps.hosted.parser import Outcome
from swaps.models import Submission
from swaps.providers.base import Answered
from swaps.redaction import hide_secrets, scrub


def record_outcome(submission: Submission, answered: Answered, now: datetime.datetime) -> bool:
    """Record the outcome in a response; return False when there was one before."""
    outcome = Outcome(task_id=answered.task_id, image_url=answered.image_url)
    return Submission.objects.record(
        submission.pk, outcome.task_id, **outcome_columns(outcome, now)
    )


def outcome_columns(outcome: Outcome, now: datetime.datetime) -> dict[str, Any]:
    """Return the columns of an outcome, which makes the submission due now."""
    return {
        "image_url": outcome.image_url,
        "error_code": outcome.error_code[:40],
        "error_message": scrub(hide_secrets(outcome.error_message), settings.FACESWAP_HOSTED_KEY)[
            :500
        ],
        "answered_at": now,
        "due_at": now,
    }
