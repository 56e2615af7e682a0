"""Steps of a swap at a hosted provider that the test plays, over real HTTP."""

import datetime
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from swaps import tasks
from swaps.hosted.schedule import enqueue_waiting
from swaps.models import Quota, Stage, Status, Submission, Swap, User
from tests.provider_server import Behaviour, Choose, Provider, running_provider
from tests.swap_rows import queued_swap

DEADLINE = 100  # seconds


@contextmanager
def using_provider(
    settings: Settings, behaviour: Behaviour | list[Behaviour] | Choose | None = None, **more: Any
) -> Iterator[Provider]:
    """Run a provider, and let the site send its swaps there from now on."""
    with running_provider(behaviour or Behaviour(), **more) as provider:
        use(settings, provider.url, provider.key)
        yield provider


def use(settings: Settings, url: str, key: str = "a key") -> None:
    settings.FACESWAP_PROVIDER = "hosted"
    settings.FACESWAP_HOSTED_URL = url
    settings.FACESWAP_HOSTED_KEY = key
    settings.FACESWAP_CALLBACK_DEADLINE = DEADLINE
    settings.FACESWAP_HOSTED_TIMEOUT_SECONDS = 2
    settings.FACESWAP_HOSTED_RESULT_HOSTS = [urlsplit(url).netloc]


def request_hosted_swap(owner: User) -> Swap:
    swap = queued_swap(owner)
    assert swap.is_hosted
    return swap


def send_swap(owner: User) -> Swap:
    """Request a swap and run the task that sends it to the provider, whatever comes of that."""
    swap = request_hosted_swap(owner)
    tasks.submit_swap.call(str(swap.pk))
    swap.refresh_from_db()
    return swap


def submission_of(swap: Swap) -> Submission:
    return Submission.objects.get(pk=swap.pk)


def make_due(swap: Swap) -> None:
    """Make the submission's next step due now."""
    Submission.objects.filter(pk=swap.pk).update(
        due_at=timezone.now() - datetime.timedelta(seconds=1), enqueue_again_at=None
    )


def run_step(swap: Swap, task: Any) -> Swap:
    """Run the next step of a swap now."""
    make_due(swap)
    task.call(str(swap.pk))
    swap.refresh_from_db()
    return swap


def post(url: str, body: Any) -> int:
    """Post a callback to this URL, and return the status of the response."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = Client(raise_request_exception=False).post(
        urlsplit(url).path, data=data, content_type="application/json"
    )
    return answer.status_code


def call_back(provider: Provider, **changes: Any) -> int:
    """Post the provider's callback for its only task, with ``changes`` made to the body."""
    task = provider.task
    assert task.is_done.wait(60)
    return post(task.request["callback_url"], provider.outcome(task) | changes)


def spent(owner: User) -> int:
    quota: Quota = Quota.objects.get_or_grant(owner)
    return quota.spent


def ended_as(swap: Swap, status: Status, code: str = "") -> bool:
    swap.refresh_from_db()
    return (swap.status, swap.error_code) == (status, code)


def count_enqueued(now: datetime.datetime) -> int:
    """Return how many swaps would be sent to the provider at that moment."""
    Submission.objects.filter(stage=Stage.NEW).update(enqueue_again_at=None)
    enqueue_waiting(now)
    return Submission.objects.filter(stage=Stage.NEW, enqueue_again_at__isnull=False).count()


def age_submission(swap: Swap, seconds: float) -> None:
    """Move all times of a submission into the past by so many seconds."""
    ago = datetime.timedelta(seconds=seconds)
    submission = submission_of(swap)
    for name in ("created_at", "sent_at", "accepted_at", "answered_at", "signed_at", "due_at"):
        moment = getattr(submission, name)
        setattr(submission, name, moment and moment - ago)
    submission.save()
