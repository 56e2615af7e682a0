"""Requests a swap for an API call, which names its pictures by URL."""

from dataclasses import replace
from typing import Any

from django.db import IntegrityError
from django.utils import timezone

from swaps import errors
from swaps.lifecycle.choice import CHOICES, pairs, pictures
from swaps.lifecycle.inputs import read_local_picture, shorten_data_urls
from swaps.lifecycle.request import ApiCall, SwapDetails, provider_for, request_swap
from swaps.models import ApiAccess, Door, IdempotencyKey, Provider, Swap
from swaps.models.idempotency_key import RETENTION
from swaps.storage import space


def request_by_api(call: ApiCall) -> Swap:
    """Request a swap, or return the one that was requested with the same idempotency key.

    Raises ``errors.BadRequest``, ``errors.InvalidImage``, ``errors.IdempotencyConflict`` or
    ``errors.UsedUp``; nothing is spent then.
    """
    if earlier := _find_earlier(call):
        return earlier
    try:
        return _create_swap(call)
    except (IntegrityError, errors.UsedUp):  # the same key at the same moment
        if earlier := _find_earlier(call):
            return earlier
        raise


def _create_swap(call: ApiCall) -> Swap:
    user = call.key.user
    if provider_for(Door.API) == Provider.HOSTED:
        _require_no_choice(call.body)
    space.require_free_space()  # before pictures are worked on in vain
    if not ApiAccess.objects.get_or_grant(user).remaining:
        raise errors.UsedUp("swaps")
    source, target, *more_sources = (
        read_local_picture(named, user.pk) for named in pictures(call.body).values()
    )
    return request_swap(
        user,
        source,
        target,
        more_sources=more_sources,
        details=SwapDetails(pairs=pairs(call.body)),
        call=replace(call, body=shorten_data_urls(call.body)),
    )


def _require_no_choice(body: dict[str, Any]) -> None:
    """Raise ``errors.BadRequest`` for a choice of faces: a hosted provider cannot be told it."""
    for field in CHOICES:
        if body.get(field):
            raise errors.BadRequest("no_choice", field=field)


def _find_earlier(call: ApiCall) -> Swap | None:
    """Return the swap that was requested with the same idempotency key, if there is one.

    Raises ``errors.IdempotencyConflict`` when its body was another.
    """
    if not call.idempotency_key:
        return None
    rows = IdempotencyKey.objects.filter(user=call.key.user, key=call.idempotency_key)
    rows.filter(created_at__lte=timezone.now() - RETENTION).delete()
    row = rows.select_related("swap").first()
    if row is None:
        return None
    if row.body_digest != call.body_digest:
        raise errors.IdempotencyConflict("body")
    return row.swap
