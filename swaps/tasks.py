"""Background tasks. Each takes an id, claims the row, does one thing, ends in a named state."""

import contextlib
import datetime
import logging
from collections.abc import Callable, Iterator
from typing import TypeVar

from django.db import transaction
from django.utils import timezone
from django_tasks import task

from swaps import errors
from swaps.deliveries import deliver
from swaps.hosted.ask import ask_for_outcome
from swaps.hosted.collect import collect
from swaps.hosted.schedule import enqueue_waiting, retry_or_fail
from swaps.hosted.send import send
from swaps.lifecycle import detect, fetch, small_copies
from swaps.lifecycle.enqueue import enqueue_next
from swaps.lifecycle.settle import settle
from swaps.mail import send as mail
from swaps.models import Delivery, Detection, Look, Mail, Submission, Swap, Upload
from swaps.providers.base import SwapRequest
from swaps.runtime.fair_share import try_acquire
from swaps.storage import space

# An account that has its share of the courier's threads waits so long for its next turn.
SHARE_PAUSE = datetime.timedelta(seconds=1)

LOOK_PRIORITY = 50  # people wait for it, and it is quick: ahead of swaps
SMALL_COPIES_PRIORITY = -100  # nobody waits for it: behind everything

Row = TypeVar("Row", Swap, Detection)

log = logging.getLogger(__name__)


@task()
def run_swap(swap_id: str) -> None:
    """Perform one swap with the engine. May be enqueued any number of times; one claim wins."""
    swap = Swap.objects.filter(pk=swap_id).first()
    if swap is None or not swap.has_pictures or not swap.claim():
        return
    from swaps.providers import embedded  # loads the engine: in the worker only

    request = SwapRequest(
        source_keys=tuple(swap.source_keys), target_key=swap.target_key, pairs=tuple(swap.pairs)
    )
    with _settle_on_error(swap, settle, enqueue_next):
        settle(swap, embedded.submit(request))


@task(priority=LOOK_PRIORITY)
def look_at_photo(upload_id: str) -> None:
    """Find the faces of a photo. Looking twice does no harm, and a failed look is tried again."""
    upload = Upload.objects.filter(pk=upload_id, look=Look.LOOKING).first()
    if upload is None:
        return
    from swaps.providers import embedded  # loads the engine: in the worker only

    try:
        seen = embedded.look(upload.key)
    except (errors.Overloaded, errors.TooManyRequests) as error:
        later = timezone.now() + datetime.timedelta(seconds=error.retry_after)
        look_at_photo.using(run_after=later).enqueue(upload_id)
        return
    except FileNotFoundError:
        return  # it was taken away meanwhile
    except errors.InvalidImage:
        upload.give_up_looking()  # the swap will say what is wrong with it
        return
    upload.record_look(width=seen.width, height=seen.height, faces=seen.faces)


@task(priority=SMALL_COPIES_PRIORITY)
def make_small_copies(swap_id: str) -> None:
    """Make the small copies that the pictures of an ended swap lack."""
    swap = Swap.objects.without_small_copies().filter(pk=swap_id).first()
    if swap is None:
        return
    try:
        small_copies.make_small_copies(swap)
    except (errors.Overloaded, errors.TooManyRequests) as error:
        later = timezone.now() + datetime.timedelta(seconds=error.retry_after)
        make_small_copies.using(run_after=later).enqueue(swap_id)


@task(queue_name="fetches")
def fetch_pictures(swap_id: str) -> None:
    """Fetch the pictures that an API call named by URL, and enqueue the swap for its provider."""
    swap = Swap.objects.filter(pk=swap_id).first()
    if swap is None or swap.has_pictures:
        return
    with try_acquire(("fetch", swap.owner_id)) as has_share:
        if not has_share:
            fetch_pictures.using(run_after=timezone.now() + SHARE_PAUSE).enqueue(swap_id)
        elif swap.claim():
            with _settle_on_error(swap, settle, enqueue_next):
                fetch.fetch_pictures(swap)


@task()
def detect_faces(detection_id: str) -> None:
    """Find the faces of one detection's picture with the engine."""
    detection = Detection.objects.filter(pk=detection_id).first()
    if detection is None or not detection.image_key or not detection.claim():
        return
    from swaps.providers import embedded  # loads the engine: in the worker only

    with _settle_on_error(detection, detect.settle, detect.enqueue_next):
        detect.settle(detection, embedded.look(detection.image_key))


@task(queue_name="fetches")
def fetch_detection(detection_id: str) -> None:
    """Fetch the picture of a detection, and enqueue the detection for the engine."""
    detection = Detection.objects.select_related("owner").filter(pk=detection_id).first()
    if detection is None or detection.image_key:
        return
    with try_acquire(("fetch", detection.owner_id)) as has_share:
        if not has_share:
            fetch_detection.using(run_after=timezone.now() + SHARE_PAUSE).enqueue(detection_id)
        elif detection.claim():
            with _settle_on_error(detection, detect.settle, detect.enqueue_next):
                detect.fetch_photo(detection)


@task(queue_name="deliveries")
def deliver_callback(delivery_id: str) -> None:
    """Make one attempt at a delivery, if one is due."""
    delivery = Delivery.objects.select_related("swap", "detection").filter(pk=delivery_id).first()
    if delivery is None:
        return
    with try_acquire(("delivery", delivery.owner_id)) as has_share:
        if has_share:
            deliver.attempt_delivery(delivery, timezone.now())
        else:
            deliver_callback.using(run_after=timezone.now() + SHARE_PAUSE).enqueue(delivery_id)


@task(queue_name="mail")
def send_mail(mail_id: str) -> None:
    """Make one attempt at handing a mail to the mail server, if one is due."""
    waiting = Mail.objects.filter(pk=mail_id).first()
    if waiting:
        mail.attempt_mail(waiting, timezone.now())


@task(queue_name="provider")
def submit_swap(swap_id: str) -> None:
    """Send one swap to the hosted provider, if it is its turn."""
    _run_step(swap_id, send)


@task(queue_name="provider")
def ask_provider(swap_id: str) -> None:
    """Ask the hosted provider about a swap of which no outcome came."""
    _run_step(swap_id, ask_for_outcome)


@task(queue_name="provider")
def collect_result(swap_id: str) -> None:
    """Fetch what the hosted provider made of a swap, and settle the swap."""
    _run_step(swap_id, collect)


def _run_step(swap_id: str, step: Callable[[Submission], None]) -> None:
    submission = Submission.objects.select_related("swap").filter(swap_id=swap_id).first()
    if submission is None:
        return
    try:
        _guarded(step, submission)
        enqueue_waiting(timezone.now())  # the provider may have room now
    except (Swap.DoesNotExist, Submission.DoesNotExist):
        return  # the account was deleted meanwhile


def _guarded(step: Callable[[Submission], None], submission: Submission) -> None:
    try:
        step(submission)
    except (Swap.DoesNotExist, Submission.DoesNotExist):
        raise
    except Exception as error:
        log.exception("swap=%s a step with the provider broke", submission.pk)
        retry_or_fail(submission, is_full=space.is_disk_full_error(error))


@contextlib.contextmanager
def _settle_on_error(
    row: Row, settle: Callable[[Row, errors.SwapError], None], enqueue_next: Callable[..., None]
) -> Iterator[None]:
    """Settle the row with its error; give up the lease when the attempt broke.

    When only memory to open its pictures is missing, enqueue its task for later.
    """
    try:
        yield
    except (errors.Overloaded, errors.TooManyRequests) as error:
        later = timezone.now() + datetime.timedelta(seconds=error.retry_after)
        with transaction.atomic():
            if row.requeue_uncounted():
                enqueue_next(row, run_after=later)
    except errors.SwapError as error:
        settle(row, error)
    except Exception as error:
        name = type(row).__name__.lower()
        if space.is_disk_full_error(error):
            log.warning("%s=%s waits for room on the disk", name, row.pk)
            row.retry_when_disk_has_space()
            return
        log.exception("%s=%s attempt=%d broke", name, row.pk, row.attempts)
        row.shorten_lease()  # the clock tries again, or ends it after the last attempt
