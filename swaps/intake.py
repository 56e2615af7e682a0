"""Pictures that an API call names by URL: what is here already, and what has to be fetched.

URLs of this site's own pictures and samples, and ``data:`` URLs, are read without a network call
when the call comes in. Everything else is fetched by a task in the background.
"""

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Literal

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from swaps import (
    data_urls,
    decode_budget,
    errors,
    images,
    links,
    net,
    photos,
    services,
    storage,
    storage_space,
)
from swaps.models import AccountStorage, ApiAccess, IdempotencyKey, Swap
from swaps.models.idempotency_key import KEPT

InputName = Literal["source", "target"]
INPUTS: tuple[InputName, InputName] = ("source", "target")
URL_FIELDS = {"source_image_url", "target_image_url"}
FETCH_SECONDS = 10.0


def request_swap(call: services.ApiCall) -> Swap:
    """A new swap; or the one that the same idempotency key asked for before.

    Raises ``errors.BadRequest``, ``errors.InvalidImage``, ``errors.IdempotencyConflict`` or
    ``errors.UsedUp``; nothing is spent then.
    """
    if earlier := _find_earlier(call):
        return earlier
    try:
        return _request_new(call)
    except (IntegrityError, errors.UsedUp):  # the same key at the same moment
        if earlier := _find_earlier(call):
            return earlier
        raise


def _request_new(call: services.ApiCall) -> Swap:
    user = call.key.user
    storage_space.check()  # before pictures are worked on in vain
    if not ApiAccess.objects.of(user).remaining:
        raise errors.UsedUp(services.USED_UP)
    source, target = (
        read_at_once(call.body[f"{name}_image_url"], name, user.pk) for name in INPUTS
    )
    shown = {name: shown_url(value) for name, value in call.body.items() if name in URL_FIELDS}
    return services.request_swap(user, source, target, call=replace(call, body=call.body | shown))


def _find_earlier(call: services.ApiCall) -> Swap | None:
    if not call.idempotency_key:
        return None
    rows = IdempotencyKey.objects.filter(user=call.key.user, key=call.idempotency_key)
    rows.filter(created_at__lte=timezone.now() - KEPT).delete()
    row = rows.select_related("swap").first()
    if row is None:
        return None
    if row.body_digest != call.body_digest:
        raise errors.IdempotencyConflict(
            "This Idempotency-Key was used with another body. Use a new key for a new swap."
        )
    return row.swap


def read_at_once(url: str, name: InputName, user_id: int) -> images.Photo | None:
    """The picture, when it needs no network; None when it has to be fetched.

    Raises ``errors.BadRequest`` for a URL that may not be fetched or leads to nothing of ours, and
    ``errors.InvalidImage``; ``errors.Overloaded`` when too many pictures are being opened.
    """
    if data_urls.is_data_url(url):
        return _accept(_decode_data_url(url, name), name, user_id)
    if (key := links.key_of_own_url(url)) is not None:
        return _load(key, name)
    if (sample := links.sample_of_own_url(url)) is not None:
        return _sample(sample)
    try:
        net.check_url(url)
    except net.NetError as error:
        raise _not_fetched(name, error) from error
    return None


def fetch(swap: Swap) -> None:
    """Bring the missing pictures of a claimed swap into our storage; then the engine may have it.

    Raises ``errors.BadRequest`` or ``errors.InvalidImage`` for a picture that cannot be had, and
    ``errors.UsedUp`` when they are more than the account may store, ``errors.Overloaded`` or
    ``errors.TooManyRequests`` when too many are being opened.
    """
    asked: dict[str, str] = swap.request or {}
    missing = [name for name in INPUTS if not swap.key(name)]
    with ThreadPoolExecutor(len(missing)) as pool:  # both within the time of one
        fetched = list(pool.map(lambda name: _fetch(asked[f"{name}_image_url"], name), missing))
    keys: dict[str, str] = {}
    size = 0
    try:
        for name, data in zip(missing, fetched, strict=True):
            photo = _accept(data, name, swap.owner_id)
            keys[f"{name}_key"] = key = services.photo_key(swap.pk, name, photo)
            photos.put(key, photo)
            size += photos.size_of(photo)
    except errors.InvalidImage:  # it ends the swap: nobody would ask for the other one
        storage.delete(keys.values())
        raise
    try:
        with transaction.atomic():
            swap.lock()  # before the account's storage, as everybody does
            AccountStorage.objects.take(swap.owner_id, size)
            if swap.has_fetched(size=size, **keys):
                services.enqueue(swap)
            else:
                AccountStorage.objects.give_back(swap.owner_id, size)
    except (Swap.DoesNotExist, IntegrityError):  # the account was deleted meanwhile
        storage.delete(keys.values())
        return
    except errors.UsedUp:
        storage.delete(keys.values())
        raise
    storage.delete(set(keys.values()) - {swap.source_key, swap.target_key})


def shown_url(url: str) -> str:
    """As it may stand in a row: a ``data:`` URL is cut short."""
    return f"{url[:40]}…" if data_urls.is_data_url(url) else url


def _fetch(url: str, name: InputName) -> bytes:
    try:
        return net.fetch(url, max_bytes=settings.FACESWAP_MAX_UPLOAD_BYTES, seconds=FETCH_SECONDS)
    except net.NetError as error:
        raise _not_fetched(name, error) from error


def _load(key: str, name: InputName) -> images.Photo:
    """A picture of ours is clean already: it is copied as it is. An empty key leads nowhere."""
    try:
        if not key:
            raise FileNotFoundError
        return services.load_photo(key)
    except FileNotFoundError as error:
        raise errors.BadRequest(
            f"{name}_image_url is a link of this site that has expired or was deleted.", image=name
        ) from error
    except images.ImageRefused as error:
        raise _unusable(name, error) from error


@cache
def _sample(path: Path) -> images.Photo:
    """Few, small, and the same for everybody: each process keeps them."""
    data = path.read_bytes()
    width, height = images.dimensions(data)
    return images.Photo(
        data=data,
        content_type="image/jpeg",
        extension=".jpg",
        width=width,
        height=height,
        thumbnail=images.thumbnail(data),
    )


def _accept(data: bytes, name: InputName, user_id: int) -> images.Photo:
    try:
        return images.accept(
            io.BytesIO(data),
            size=len(data),
            max_bytes=settings.FACESWAP_MAX_UPLOAD_BYTES,
            max_pixels=settings.FACESWAP_MAX_PIXELS,
            reserve=decode_budget.for_account(user_id, held=len(data)),
        )
    except images.ImageRefused as error:
        raise _unusable(name, error) from error


def _decode_data_url(url: str, name: InputName) -> bytes:
    """The type that it claims is not believed: pictures are known by their content."""
    try:
        return data_urls.decode(url)
    except ValueError as error:
        raise errors.BadRequest(
            f"{name}_image_url is no data: URL of a picture; data:image/jpeg;base64,… is expected.",
            image=name,
        ) from error


def _unusable(name: InputName, error: images.ImageRefused) -> errors.InvalidImage:
    return errors.InvalidImage(
        f"{name}_image_url is not a picture that can be used. {error.message}", image=name
    )


def _not_fetched(name: InputName, error: net.NetError) -> errors.BadRequest:
    return errors.BadRequest(f"{name}_image_url cannot be fetched. {error.message}", image=name)
