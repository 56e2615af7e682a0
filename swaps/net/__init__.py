"""HTTP requests to URLs that strangers gave. They block, so they belong in background processes.

NetError
├── NotAllowed   the URL, or what it leads to, may not be requested; permanent
├── NotReached   no such host, refused, too slow, bad certificate, connection lost
├── TooLarge     the body has more bytes than allowed
└── BadAnswer    ``fetch`` only: a status other than 200, too many redirects

Each message tells people what is wrong and what to do. It names no part of the URL.
"""

import random
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from typing import Final
from urllib.parse import urljoin, urlsplit, urlunsplit

from django.conf import settings
from urllib3 import HTTPResponse
from urllib3.exceptions import HTTPError

from swaps.net.addresses import AllowList, parse_allow_list
from swaps.net.connection import (
    Deadline,
    NetError,
    NotAllowed,
    NotReached,
    RequestContext,
    Resolve,
    checked_url,
    request,
    resolve_host,
)
from swaps.net.unpacking import UnknownEncodingError, unpack

__all__ = (
    "BadAnswer",
    "NetError",
    "NotAllowed",
    "NotReached",
    "Resolve",
    "Response",
    "TooLarge",
    "check_url",
    "fetch",
    "parse_allow_list",
    "post",
    "resolve_host",
)

MAX_REDIRECTS: Final = 3
EXCERPT_BYTES: Final = 2_000
_CHUNK_BYTES: Final = 65_536
_PAUSE_SECONDS: Final = (0.1, 0.3)
_TRANSIENT_STATUSES: Final = frozenset({502, 503, 504})


class TooLarge(NetError):
    """The body has more bytes than the caller allows."""


class BadAnswer(NetError):
    """The answer has a status other than 200, too many redirects or an unknown encoding."""

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, kw_only=True)
class Response:
    """The answer to a ``post``; any status counts as one."""

    status: int
    body: bytes  # at most its first 2,000 bytes


def check_url(url: str) -> None:
    """Check a URL without using the network; raises ``NotAllowed``."""
    checked_url(url, _allow())


def fetch(
    url: str,
    *,
    max_bytes: int,
    seconds: float = 10.0,
    resolve: Resolve = resolve_host,
    only: Collection[str] = (),
) -> bytes:
    """Return the body of a URL, decompressed; retry once after a transient failure.

    Follows up to ``MAX_REDIRECTS`` redirects within ``seconds`` in all. ``only`` lists hosts that
    the operator named (as in ``parse_allow_list``): then no other host is requested, not even by a
    redirect, and these may have private addresses. Raises a ``NetError``.
    """
    with Deadline(seconds) as deadline:
        allow = parse_allow_list(only, is_exclusive=True) if only else _allow()
        context = RequestContext(allow=allow, resolve=resolve, deadline=deadline)
        try:
            return _follow_redirects(url, max_bytes, context)
        except (NotReached, BadAnswer) as error:
            if isinstance(error, BadAnswer) and error.status not in _TRANSIENT_STATUSES:
                raise
            if not deadline.sleep(random.uniform(*_PAUSE_SECONDS)):  # noqa: S311  no secret
                raise
        return _follow_redirects(url, max_bytes, context)


def post(
    url: str,
    *,
    body: bytes,
    headers: Mapping[str, str],
    seconds: float = 15.0,
    resolve: Resolve = resolve_host,
) -> Response:
    """POST ``body`` and return the response, whatever its status; redirects are not followed.

    Nothing is retried. Raises a ``NetError`` when no response came.
    """
    with Deadline(seconds) as deadline:
        context = RequestContext(allow=_allow(), resolve=resolve, deadline=deadline)
        with request("POST", url, context, body=body, headers=headers) as response:
            return Response(status=response.status, body=_read_excerpt(response, deadline))


def _allow() -> AllowList:
    return parse_allow_list(settings.FACESWAP_FETCH_ALLOW)


def _follow_redirects(url: str, max_bytes: int, context: RequestContext) -> bytes:
    redirects = 0
    while True:
        with request("GET", url, context) as response:
            location = response.get_redirect_location()
            if not location:
                return _read_body(response, max_bytes, context.deadline)
            if redirects == MAX_REDIRECTS:
                raise BadAnswer(
                    f"The URL leads on more than {MAX_REDIRECTS} times. Use the one at the end.",
                    status=response.status,
                )
            redirects += 1
            url = _join(url, location)


def _join(url: str, location: str) -> str:
    """Return the absolute URL that a redirect leads to, spelled as the server wrote it.

    http.client decodes the header as Latin-1, but bytes beyond ASCII are UTF-8. Absolute URLs and
    paths are not given to ``urljoin``, which would normalise them. Raises ``NotAllowed``.
    """
    try:
        location = location.encode("latin-1").decode().replace(" ", "%20")
        if location.lower().startswith(("http://", "https://")):
            return location
        if location.startswith("/") and not location.startswith("//"):
            return urlunsplit((*urlsplit(url)[:2], "", "", "")) + location
        return urljoin(url, location)
    except ValueError:
        raise NotAllowed(
            "The URL leads on to another one that cannot be understood. Use the one at the end."
        ) from None


def _read_body(response: HTTPResponse, max_bytes: int, deadline: Deadline) -> bytes:
    """Return the body of a 200 response; raises ``BadAnswer`` or ``TooLarge``."""
    if response.status != 200:
        raise BadAnswer(
            f"The host answered with status {response.status}, not with 200. Check the URL.",
            status=response.status,
        )
    is_announced = (response.length_remaining or 0) > max_bytes
    if is_announced or len(body := _read_at_most(response, max_bytes + 1, deadline)) > max_bytes:
        raise TooLarge(f"The host sends more than {max_bytes:,} bytes. Use something smaller.")
    return body


def _read_excerpt(response: HTTPResponse, deadline: Deadline) -> bytes:
    """Return the first ``EXCERPT_BYTES`` of the body, or as much as can be read of it.

    The caller needs the status only, so a body that breaks off is no error.
    """
    body = bytearray()
    with suppress(NetError, OSError, HTTPError, HTTPException, ValueError):
        for piece in _chunks(response, deadline):
            body += piece
            if len(body) >= EXCERPT_BYTES:
                break
    return bytes(body[:EXCERPT_BYTES])


def _read_at_most(response: HTTPResponse, max_bytes: int, deadline: Deadline) -> bytes:
    body = bytearray()
    for piece in _chunks(response, deadline):
        body += piece
        if len(body) >= max_bytes:
            break
    deadline.remaining()  # the deadline may have cut the body off
    return bytes(body[:max_bytes])


def _chunks(response: HTTPResponse, deadline: Deadline) -> Iterator[bytes]:
    """Yield the decompressed body in small chunks, so that a zip bomb can be stopped in time."""
    encoding = response.headers.get("Content-Encoding", "")
    raw = iter(lambda: response.read1(_CHUNK_BYTES, decode_content=False), b"")
    try:
        for piece in unpack(raw, encoding):
            deadline.remaining()
            yield piece
    except UnknownEncodingError:
        raise BadAnswer(
            "The host packs its answer (Content-Encoding) in another way than gzip or deflate. "
            "Use a URL that gives the picture as it is.",
            status=response.status,
        ) from None
