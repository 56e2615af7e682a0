"""Requests a swap for an API call, which names its two pictures by URL.

URLs of this site's own pictures and samples, and ``data:`` URLs, are read without a network call
when the call comes in. Everything else is fetched by a background task (``fetch``).
"""

from dataclasses import replace
from functools import cache
from pathlib import Path

from django.db import IntegrityError
from django.utils import timezone

from swaps import errors, images, links, net
from swaps.lifecycle.inputs import INPUTS, InputName, accept, fetch_error, invalid_image
from swaps.lifecycle.photos import load_photo
from swaps.lifecycle.request import ApiCall, request_swap
from swaps.models import ApiAccess, IdempotencyKey, Swap
from swaps.models.idempotency_key import RETENTION
from swaps.net import data_urls
from swaps.storage import space

URL_FIELDS = {"source_image_url", "target_image_url"}


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
    space.require_free_space()  # before pictures are worked on in vain
    if not ApiAccess.objects.get_or_grant(user).remaining:
        raise errors.UsedUp("swaps")
    source, target = (
        read_local_picture(call.body[f"{name}_image_url"], name, user.pk) for name in INPUTS
    )
    shown = {
        name: truncate_data_url(value) for name, value in call.body.items() if name in URL_FIELDS
    }
    return request_swap(user, source, target, call=replace(call, body=call.body | shown))


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


def read_local_picture(url: str, name: InputName, user_id: int) -> images.Photo | None:
    """Return the picture when it needs no network; None when it has to be fetched.

    Raises ``errors.BadRequest`` for a URL that may not be fetched or leads to nothing of ours, and
    ``errors.InvalidImage``; ``errors.Overloaded`` when too many pictures are being opened.
    """
    if data_urls.is_data_url(url):
        return accept(_decode_data_url(url, name), name, user_id)
    if (key := links.key_of_own_url(url)) is not None:
        return _load_stored(key, name)
    if (sample := links.sample_of_own_url(url)) is not None:
        return _load_sample(sample)
    try:
        net.check_url(url)
    except net.NetError as error:
        raise fetch_error(name, error) from error
    return None


def truncate_data_url(url: str) -> str:
    """Return a URL as it is stored in a row: a ``data:`` URL is cut short."""
    return f"{url[:40]}…" if data_urls.is_data_url(url) else url


def _load_stored(key: str, name: InputName) -> images.Photo:
    """Load a stored picture. It is clean already, so it is copied as it is.

    Raises ``errors.BadRequest`` for an empty key or a deleted picture.
    """
    try:
        if not key:
            raise FileNotFoundError
        return load_photo(key)
    except FileNotFoundError as error:
        raise errors.BadRequest("link_gone", image=name, name=name) from error
    except images.ImageRefused as error:
        raise invalid_image(name, error) from error


@cache
def _load_sample(path: Path) -> images.Photo:
    """Load a sample. They are few, small, and the same for everybody: each process caches them."""
    data = path.read_bytes()
    width, height = images.dimensions(data)
    return images.Photo(
        data=data,
        content_type="image/jpeg",
        extension=".jpg",
        width=width,
        height=height,
        copies=images.small_copies(data),
    )


def _decode_data_url(url: str, name: InputName) -> bytes:
    """Decode a ``data:`` URL without believing its type: pictures are known by their content."""
    try:
        return data_urls.decode(url)
    except ValueError as error:
        raise errors.BadRequest("data_url", image=name, name=name) from error
