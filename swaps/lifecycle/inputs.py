"""The pictures that an API call names by URL: read here, or fetched, and the errors of bad ones.

URLs of this site's own pictures and samples, and ``data:`` URLs, are read without a network call
when the call comes in. Everything else is fetched by a background task.
"""

import io
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings

from swaps import errors, images, links, net
from swaps.images import budget
from swaps.lifecycle.photos import load_photo
from swaps.net import data_urls

FETCH_SECONDS = 10.0


@dataclass(frozen=True, kw_only=True)
class Input:
    """A picture of a call: its URL, the field that names it, and which of a swap's two it is."""

    field: str
    url: str
    image: errors.ImageName = ""


def read_local_picture(named: Input, user_id: int) -> images.Photo | None:
    """Return the picture when it needs no network; None when it has to be fetched.

    Raises ``errors.BadRequest`` for a URL that may not be fetched or leads to nothing of ours, and
    ``errors.InvalidImage``; ``errors.Overloaded`` when too many pictures are being opened.
    """
    if data_urls.is_data_url(named.url):
        return accept(_decode_data_url(named), named, user_id)
    if (key := links.key_of_own_url(named.url)) is not None:
        return _load_stored(key, named)
    if (sample := links.sample_of_own_url(named.url)) is not None:
        return _load_sample(sample)
    try:
        net.check_url(named.url)
    except net.NetError as error:
        raise _unreachable(named, error) from error
    return None


def shorten_data_urls(value: Any) -> Any:
    """Return the body of a call as it is stored in a row: ``data:`` URLs are cut short."""
    if isinstance(value, dict):
        return {name: shorten_data_urls(part) for name, part in value.items()}
    if isinstance(value, list):
        return [shorten_data_urls(part) for part in value]
    if isinstance(value, str) and data_urls.is_data_url(value):
        return f"{value[:40]}…"
    return value


def fetch(named: Input) -> bytes:
    """Fetch a picture over the network. Raises ``errors.BadRequest``."""
    try:
        return net.fetch(
            named.url, max_bytes=settings.FACESWAP_MAX_UPLOAD_BYTES, seconds=FETCH_SECONDS
        )
    except net.NetError as error:
        raise _unreachable(named, error) from error


def accept(data: bytes, named: Input, user_id: int) -> images.Photo:
    """Check and re-encode a picture that was sent or fetched. Raises ``errors.InvalidImage``."""
    try:
        return images.accept(
            io.BytesIO(data),
            size=len(data),
            max_bytes=settings.FACESWAP_MAX_UPLOAD_BYTES,
            max_pixels=settings.FACESWAP_MAX_PIXELS,
            reserve=budget.for_account(user_id, held=len(data)),
        )
    except images.ImageRefused as error:
        raise _unusable(named, error) from error


def _load_stored(key: str, named: Input) -> images.Photo:
    """Load a stored picture. It is clean already, so it is copied as it is.

    Raises ``errors.BadRequest`` for an empty key or a deleted picture.
    """
    try:
        if not key:
            raise FileNotFoundError
        return load_photo(key)
    except FileNotFoundError as error:
        raise errors.BadRequest("link_gone", image=named.image, field=named.field) from error
    except images.ImageRefused as error:
        raise _unusable(named, error) from error


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


def _decode_data_url(named: Input) -> bytes:
    """Decode a ``data:`` URL without believing its type: pictures are known by their content."""
    try:
        return data_urls.decode(named.url)
    except ValueError as error:
        raise errors.BadRequest("data_url", image=named.image, field=named.field) from error


def _unreachable(named: Input, error: net.NetError) -> errors.BadRequest:
    return errors.BadRequest(
        "unreachable", image=named.image, field=named.field, reason=error.explanation
    )


def _unusable(named: Input, error: images.ImageRefused) -> errors.InvalidImage:
    return errors.InvalidImage(
        "unusable", image=named.image, field=named.field, reason=error.explanation
    )
