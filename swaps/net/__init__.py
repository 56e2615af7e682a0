"""HTTP requests to URLs that strangers gave. They block, so they belong in background processes.

Failures are a ``NetError``; ``swaps.net.errors`` shows the tree.
"""

import random
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from typing import Final
from urllib.parse import urljoin, urlsplit, urlunsplit

from django.conf import settings
from urllib3 import HTTPResponse
from urllib3.exceptions import HTTPError

from swaps.net.addresses import AllowList, parse_allow_list
from swaps.net.body import body_chunks, read_body
from swaps.net.connection import RequestContext, Resolve, checked_url, request, resolve_host
from swaps.net.deadline import Deadline
from swaps.net.errors import BadResponse, NetError, NotAllowed, NotReached, TooLarge

__all__ = (
    "BadResponse",
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
_PAUSE_SECONDS: Final = (0.1, 0.3)
_TRANSIENT_STATUSES: Final = frozenset({502, 503, 504})


@dataclass(frozen=True, kw_only=True)
class Response:
    """The response to a ``post``, whatever its status."""

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
        except (NotReached, BadResponse) as error:
            if isinstance(error, BadResponse) and error.status not in _TRANSIENT_STATUSES:
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
                return _read_ok_body(response, max_bytes, context.deadline)
            if redirects == MAX_REDIRECTS:
                raise BadResponse("url.redirects", status=response.status, limit=MAX_REDIRECTS)
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
        raise NotAllowed("url.redirect") from None


def _read_ok_body(response: HTTPResponse, max_bytes: int, deadline: Deadline) -> bytes:
    """Return the body of a 200 response; raises ``BadResponse`` or ``TooLarge``."""
    if response.status != 200:
        raise BadResponse("host.status", status=response.status)
    return read_body(response, max_bytes, deadline)


def _read_excerpt(response: HTTPResponse, deadline: Deadline) -> bytes:
    """Return the first ``EXCERPT_BYTES`` of the body, or as much as can be read of it.

    The caller needs the status only, so a body that breaks off is no error.
    """
    body = bytearray()
    with suppress(NetError, OSError, HTTPError, HTTPException, ValueError):
        for chunk in body_chunks(response, deadline):
            body += chunk
            if len(body) >= EXCERPT_BYTES:
                break
    return bytes(body[:EXCERPT_BYTES])
