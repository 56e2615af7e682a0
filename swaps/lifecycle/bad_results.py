"""Takes reports that a result looks wrong, and gives some of these swaps back."""

import datetime
import logging

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from swaps.lifecycle.settle import refund
from swaps.models import BadResult, Swap
from swaps.models.bad_result import Reason
from swaps.models.quotas import quotas

log = logging.getLogger(__name__)


def report_bad_result(swap: Swap, reason: Reason, now: datetime.datetime) -> BadResult | None:
    """Record that a finished swap looks wrong, and give it back if it may be.

    A swap is reported once: later reports find the first one. Returns None when it is not finished.
    """
    with transaction.atomic():
        swap.lock()
        if not swap.is_succeeded:
            return None
        found = BadResult.objects.filter(swap=swap).first()
        if found:
            return found
        is_refunded = _may_be_refunded(swap, now)
        if is_refunded:
            refund(swap)
        report = BadResult.objects.create(
            swap=swap, owner_id=swap.owner_id, reason=reason, is_refunded=is_refunded
        )
    log.info("swap=%s looks wrong reason=%s refunded=%s", swap.pk, reason, is_refunded)
    return report


def _may_be_refunded(swap: Swap, now: datetime.datetime) -> bool:
    """Return whether this month has a refund left; call in a transaction.

    It locks the quota's row, so that racing reports of one account count one after the other.
    """
    if swap.guest_counts:  # no quota was spent on it
        return False
    quota = quotas(swap.door).select_for_update().filter(user_id=swap.owner_id).first()
    if quota is None or not quota.spent:
        return False
    refunds = BadResult.objects.count_refunded(swap, since=_month_of(now))
    return refunds < settings.FACESWAP_BAD_RESULT_REFUNDS


def _month_of(now: datetime.datetime) -> datetime.datetime:
    local = timezone.localtime(now)
    return local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
