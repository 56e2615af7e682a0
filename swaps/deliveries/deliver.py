"""Deliveries: outgoing signed callbacks, repeated until they are taken, each attempt logged.

Signatures are those of the Standard Webhooks specification. The row is made in the transaction that
ends the task; the clock finds what is due, so a crash between any two steps loses nothing.
"""

import datetime
import logging
import time

from django.db import transaction
from django.utils import timezone

from swaps import net, queue
from swaps.deliveries import inspector
from swaps.deliveries.signing import payload, sign
from swaps.messages import Message
from swaps.models import Delivery, DeliveryAttempt, DeliveryStatus, Detection, Swap
from swaps.models.delivery import LEASE

GONE = 410
EXCERPT_LENGTH = 500

log = logging.getLogger(__name__)


def create_delivery(task: Swap | Detection) -> None:
    """Create the delivery of an API call's callback; call in the transaction that ends its task."""
    if task.callback_url:
        now = timezone.now()
        delivery = Delivery.objects.create(
            swap=task if isinstance(task, Swap) else None,
            detection=task if isinstance(task, Detection) else None,
            owner_id=task.owner_id,
            url=task.callback_url,
            enqueue_again_at=now + LEASE,
        )
        queue.enqueue("deliver_callback", delivery.pk)


def replay(delivery: Delivery) -> bool:
    """Enqueue a delivery once more; return False while it is being sent."""
    with transaction.atomic():
        if not delivery.replay(timezone.now()):
            return False
        queue.enqueue("deliver_callback", delivery.pk)
    return True


def attempt_delivery(delivery: Delivery, now: datetime.datetime) -> None:
    """Post a delivery once, if it is due, and log the attempt."""
    if not delivery.claim(now):
        return
    begun = time.monotonic()
    try:
        status, error, excerpt = _post(delivery, now)
    except Exception:  # or it would come back every minute, for ever
        log.exception("delivery=%s broke", delivery.pk)
        status, error, excerpt = None, {"code": "delivery.broke"}, ""
    seconds = time.monotonic() - begun
    ended_at = now + datetime.timedelta(seconds=seconds)
    result = {
        "last_status": status,
        "last_error": "",
        "error_params": error,
        "response_excerpt": excerpt,
    }
    with transaction.atomic():
        attempt = DeliveryAttempt.objects.create(
            delivery=delivery,
            started_at=now,
            seconds=seconds,
            status=status,
            error_params=error,
            response_excerpt=excerpt,
        )
        delivery.delete_old_attempts()
        if not error:
            delivery.end(DeliveryStatus.DELIVERED, delivered_at=ended_at, **result)
        elif status == GONE:
            delivery.end(DeliveryStatus.GONE, failures=delivery.failures + 1, **result)
        else:
            delivery.postpone(ended_at, **result)
    log.info(
        "delivery=%s %s=%s attempt=%d %s status=%s %s",
        delivery.pk,
        "swap" if delivery.swap_id else "detection",
        delivery.task_id,
        delivery.attempts_made,
        delivery.status,
        status,
        attempt.error_text,
    )


def _post(delivery: Delivery, now: datetime.datetime) -> tuple[int | None, Message | None, str]:
    """Return the HTTP status, the error (None on success), and an excerpt of the response."""
    body = payload(delivery.task)
    headers = sign(delivery, body, now)
    token = inspector.token_of_url(delivery.url)
    if token is not None:
        status, excerpt = inspector.receive(token, headers, body), ""
    else:
        try:
            response = net.post(delivery.url, body=body, headers=headers)
        except net.NetError as error:
            return None, error.explanation, ""
        status = response.status
        excerpt = response.body[:EXCERPT_LENGTH].decode(errors="replace").replace("\0", "\ufffd")
    return status, _failure_of(status), excerpt


def _failure_of(status: int) -> Message | None:
    """Return why a status counts as a failure; None for a success."""
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        return {"code": "delivery.redirect", "status": status}
    if status == GONE:
        return {"code": "delivery.gone"}
    return {"code": "delivery.status", "status": status}
