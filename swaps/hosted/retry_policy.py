"""The retry policy: how often each step with the provider is tried, and the pauses between."""

import datetime
import random

from django.conf import settings

from swaps import errors
from swaps.lifecycle.settle import settle
from swaps.models import Submission

MAX_REFUSALS = 5  # as the contract asks of clients
MAX_FAILURES = 10  # of a step before it is sent, on our side
MAX_SENDS = 2  # that may have been started
MAX_DEADLINES = 4  # for a provider that says that it is still at work
MAX_WAIT = datetime.timedelta(days=1)  # to be sent
MAX_PAUSE_SECONDS = 60.0


def callback_deadline() -> datetime.timedelta:
    """Return how long a callback may take; after that the provider is asked."""
    return datetime.timedelta(seconds=settings.FACESWAP_CALLBACK_DEADLINE)


def backoff(failures: int) -> datetime.timedelta:
    """Return 1, 2, 4, 8 … seconds and up to half more at random, so that retries spread out."""
    seconds = min(MAX_PAUSE_SECONDS, 2.0 ** min(failures, 10))
    return datetime.timedelta(seconds=seconds * random.uniform(1, 1.5))  # noqa: S311  no secret


def give_up(submission: Submission) -> None:
    """Fail a swap that has had all its time with a timeout."""
    settle(submission.swap, errors.Timeout("provider_silent"), snapshot=submission)


def result_expired(submission: Submission, now: datetime.datetime) -> bool:
    """Return True when the provider need not keep the result any more."""
    life = datetime.timedelta(seconds=settings.FACESWAP_HOSTED_RESULT_SECONDS)
    return now - (submission.answered_at or now) > life
