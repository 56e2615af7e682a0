"""Shares a result: a link under which anybody may see the picture, until it ends."""

import datetime

from django.db import transaction

from swaps.models import ShareLink, Swap


def share_result(swap: Swap, life: datetime.timedelta, now: datetime.datetime) -> ShareLink | None:
    """Make the one link of a finished swap, in the place of an earlier one; else return None."""
    with transaction.atomic():
        swap.lock()
        if not swap.is_succeeded or swap.is_hidden:
            return None
        return ShareLink.objects.replace(swap, now + life)
