"""Callbacks as deliveries: signed, repeated until they are taken, written down.

Signatures are those of the Standard Webhooks specification. The row is made in the transaction
that ends the swap; the clock finds what is due, so a crash between any two steps loses nothing.
"""

import datetime
import logging
import time

from django.db import transaction
from django.utils import timezone

from swaps import net, queue
from swaps.deliveries import inspector
from swaps.deliveries.signing import payload, sign
from swaps.models import Delivery, DeliveryAttempt, DeliveryStatus, Swap
from swaps.models.delivery import LEASE

GONE = 410
EXCERPT_LENGTH = 500

log = logging.getLogger(__name__)


def announce(swap: Swap) -> None:
    """Plan the callback of a swap that ends in the transaction that is open now."""
    if swap.callback_url:
        now = timezone.now()
        delivery = Delivery.objects.create(
            swap=swap,
            owner_id=swap.owner_id,
            url=swap.callback_url,
            enqueue_again_at=now + LEASE,
        )
        queue.enqueue("deliver_callback", delivery.pk)


def replay(delivery: Delivery) -> bool:
    with transaction.atomic():
        if not delivery.replay(timezone.now()):
            return False
        queue.enqueue("deliver_callback", delivery.pk)
    return True


def attempt(delivery: Delivery, now: datetime.datetime) -> None:
    """Hand it over once, if that is due; write down what came of it."""
    if not delivery.claim(now):
        return
    begun = time.monotonic()
    try:
        status, error, excerpt = _hand_over(delivery, now)
    except Exception:  # or it would come back every minute, for ever
        log.exception("delivery=%s broke", delivery.pk)
        status, error, excerpt = None, "Something broke on our side.", ""
    seconds = time.monotonic() - begun
    ended_at = now + datetime.timedelta(seconds=seconds)
    said = {"last_status": status, "last_error": error, "response_excerpt": excerpt}
    with transaction.atomic():
        DeliveryAttempt.objects.create(
            delivery=delivery,
            started_at=now,
            seconds=seconds,
            status=status,
            error=error,
            response_excerpt=excerpt,
        )
        delivery.delete_old_attempts()
        if not error:
            delivery.end(DeliveryStatus.DELIVERED, delivered_at=ended_at, **said)
        elif status == GONE:
            delivery.end(DeliveryStatus.GONE, failures=delivery.failures + 1, **said)
        else:
            delivery.postpone(ended_at, **said)
    log.info(
        "delivery=%s swap=%s attempt=%d %s status=%s %s",
        delivery.pk,
        delivery.swap_id,
        delivery.attempts_made,
        delivery.status,
        status,
        error,
    )


def _hand_over(delivery: Delivery, now: datetime.datetime) -> tuple[int | None, str, str]:
    """HTTP status, why it failed (empty when it was taken), and what the receiver said."""
    body = payload(delivery.swap)
    headers = sign(delivery, body, now)
    token = inspector.token_in(delivery.url)
    if token is not None:
        status, excerpt = inspector.receive(token, headers, body), ""
    else:
        try:
            answer = net.post(delivery.url, body=body, headers=headers)
        except net.NetError as error:
            return None, error.message[:300], ""
        status = answer.status
        excerpt = answer.body[:EXCERPT_LENGTH].decode(errors="replace").replace("\0", "\ufffd")
    return status, _failure(status), excerpt


def _failure(status: int) -> str:
    if 200 <= status < 300:
        return ""
    if 300 <= status < 400:
        return f"The receiver answered with {status}; redirects are not followed."
    if status == GONE:
        return "The receiver answered with 410: it wants no more of this."
    return f"The receiver answered with {status}."
