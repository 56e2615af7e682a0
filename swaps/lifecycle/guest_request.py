"""Requests a swap for a guest: counted for its browser and its network, and kept for an hour."""

from collections.abc import Sequence

from django.utils import timezone

from swaps import images
from swaps.accounts.guests import LIFE
from swaps.lifecycle.request import SwapDetails, request_swap
from swaps.models import Swap, User


def request_guest_swap(
    guest: User,
    source: images.Photo,
    target: images.Photo,
    *,
    counters: Sequence[str],
    form_key: str = "",
) -> Swap:
    """Request a swap as ``request_swap`` does; ``counters`` are those of ``counter_names``."""
    now = timezone.now()
    details = SwapDetails(consented_at=now, expires_at=now + LIFE, guest_counters=counters)
    return request_swap(guest, source, target, details=details, form_key=form_key)
