"""What came of a swap, as it stands in its submission until it is collected."""

import datetime
from typing import Any

from django.conf import settings

from swaps.hosted.parser import Outcome
from swaps.models import Submission
from swaps.providers.base import Answered
from swaps.redaction import hide_secrets, scrub


def record(submission: Submission, answered: Answered, now: datetime.datetime) -> bool:
    """What the provider answered. False when something came of it before."""
    outcome = Outcome(task_id=answered.task_id, image_url=answered.image_url)
    return Submission.objects.record(submission.pk, outcome.task_id, **reported(outcome, now))


def reported(outcome: Outcome, now: datetime.datetime) -> dict[str, Any]:
    """The columns in which an outcome is kept until it is collected, which may be now."""
    return {
        "image_url": outcome.image_url,
        "error_code": outcome.error_code[:40],
        "error_message": scrub(hide_secrets(outcome.error_message), settings.FACESWAP_HOSTED_KEY)[
            :500
        ],
        "answered_at": now,
        "due_at": now,
    }
