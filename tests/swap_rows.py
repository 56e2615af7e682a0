"""Swaps as rows, requested and performed without an engine."""

import datetime

from django.utils import timezone
from PIL import Image

from swaps import images
from swaps.lifecycle.request import request_swap
from swaps.lifecycle.settle import settle
from swaps.models import Swap, User
from swaps.provenance import xmp
from swaps.providers.base import Finished
from tests.pictures import photo


def finished(colour: str = "olive") -> Finished:
    result = Image.new("RGB", (40, 30), colour)
    return Finished(
        data=images.encode(result, "jpeg", xmp=xmp.ai_xmp()),
        copies=images.small_copies(result, xmp=xmp.ai_xmp()),
        extension=".jpg",
        width=40,
        height=30,
        warnings=("yaw",),
        score=0.4567,
    )


def queued_swap(owner: User) -> Swap:
    return request_swap(owner, photo("tan"), photo("navy"))


def finished_swap(owner: User) -> Swap:
    swap = queued_swap(owner)
    assert swap.claim()
    settle(swap, finished())
    swap.refresh_from_db()
    return swap


def later(seconds: float) -> datetime.datetime:
    return timezone.now() + datetime.timedelta(seconds=seconds)
