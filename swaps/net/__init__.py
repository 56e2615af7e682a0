"""Requests to strangers' URLs. Whoever calls waits: made for background processes.

NetError
├── NotAllowed   the URL, or what it leads to, may not be asked; permanent
├── NotReached   no such host, refused, too slow, bad certificate, broken off
├── TooLarge     more bytes than are wanted
└── BadAnswer    ``fetch`` only: a status other than 200, too many redirects

A message says what is wrong and what to do, for people. It names no part of the URL.
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

from swaps.net.addresses import Allow, parse_allow
from swaps.net.connection import (
    Call,
    Deadline,
    NetError,
    NotAllowed,
    NotReached,
    Resolve,
    check,
    request,
    resolve_host,
)
from swaps.net.unpacking import UnknownEncodingError, unpack

__all__ = (
    "Answer",
    "BadAnswer",
    "NetError",
    "NotAllowed",
    "NotReached",
    "Resolve",
    "TooLarge",
    "check_url",
    "fetch",
    "parse_allow",
    "post",
    "resolve_host",
)

MAX_REDIRECTS: Final = 3
EXCERPT_BYTES: Final = 2_000
_PIECE_BYTES: Final = 65_536
_PAUSE_SECONDS: Final = (0.1, 0.3)
_MAY_PASS: Final = frozenset({502, 503, 504})


class TooLarge(NetError):
    pass


class BadAnswer(NetError):
    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    body: bytes  # its first 2,000 bytes, or as much of them as came


def check_url(url: str) -> None:
    """Raise NotAllowed if that can be told without a network."""
    check(url, _allow())


def fetch(
    url: str,
    *,
    max_bytes: int,
    seconds: float = 10.0,
    resolve: Resolve = resolve_host,
    only: Collection[str] = (),
) -> bytes:
    """The body; unpacked, where a host packed it unasked. Tries once more if the failure may pass.

    ``only``: hosts that the operator named, as in ``parse_allow``. No other may be asked, also by
    a redirect; these may be, wherever they are.
    """
    with Deadline(seconds) as deadline:
        allow = parse_allow(only, is_closed=True) if only else _allow()
        call = Call(allow=allow, resolve=resolve, deadline=deadline)
        try:
            return _follow(url, max_bytes, call)
        except (NotReached, BadAnswer) as error:
            if isinstance(error, BadAnswer) and error.status not in _MAY_PASS:
                raise
            if not deadline.pause(random.uniform(*_PAUSE_SECONDS)):  # noqa: S311  no secret
                raise
        return _follow(url, max_bytes, call)


def post(
    url: str,
    *,
    body: bytes,
    headers: Mapping[str, str],
    seconds: float = 15.0,
    resolve: Resolve = resolve_host,
) -> Answer:
    """Any status is an answer, a redirect too. To try again is the caller's business."""
    with Deadline(seconds) as deadline:
        call = Call(allow=_allow(), resolve=resolve, deadline=deadline)
        with request("POST", url, call, body=body, headers=headers) as response:
            return Answer(status=response.status, body=_excerpt(response, deadline))


def _allow() -> Allow:
    return parse_allow(settings.FACESWAP_FETCH_ALLOW)


def _follow(url: str, max_bytes: int, call: Call) -> bytes:
    redirects = 0
    while True:
        with request("GET", url, call) as response:
            location = response.get_redirect_location()
            if not location:
                return _whole(response, max_bytes, call.deadline)
            if redirects == MAX_REDIRECTS:
                raise BadAnswer(
                    f"The URL leads on more than {MAX_REDIRECTS} times. Use the one at the end.",
                    status=response.status,
                )
            redirects += 1
            url = _join(url, location)


def _join(url: str, location: str) -> str:
    """Where a redirect leads. http.client read it as Latin-1; what is not ASCII is UTF-8.

    Whole URLs and paths stay as they are written; ``urljoin`` would tidy them up.
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


def _whole(response: HTTPResponse, max_bytes: int, deadline: Deadline) -> bytes:
    if response.status != 200:
        raise BadAnswer(
            f"The host answered with status {response.status}, not with 200. Check the URL.",
            status=response.status,
        )
    is_announced = (response.length_remaining or 0) > max_bytes
    if is_announced or len(body := _read(response, max_bytes + 1, deadline)) > max_bytes:
        raise TooLarge(f"The host sends more than {max_bytes:,} bytes. Use something smaller.")
    return body


def _excerpt(response: HTTPResponse, deadline: Deadline) -> bytes:
    """The status was the answer: how the body ends changes nothing."""
    body = bytearray()
    with suppress(NetError, OSError, HTTPError, HTTPException, ValueError):
        for piece in _pieces(response, deadline):
            body += piece
            if len(body) >= EXCERPT_BYTES:
                break
    return bytes(body[:EXCERPT_BYTES])


def _read(response: HTTPResponse, most: int, deadline: Deadline) -> bytes:
    body = bytearray()
    for piece in _pieces(response, deadline):
        body += piece
        if len(body) >= most:
            break
    deadline.left()  # that it ended may be our own doing
    return bytes(body[:most])


def _pieces(response: HTTPResponse, deadline: Deadline) -> Iterator[bytes]:
    """Unpacked. No more than is read next: a small body may be packed from an endless one."""
    encoding = response.headers.get("Content-Encoding", "")
    raw = iter(lambda: response.read1(_PIECE_BYTES, decode_content=False), b"")
    try:
        for piece in unpack(raw, encoding):
            deadline.left()
            yield piece
    except UnknownEncodingError:
        raise BadAnswer(
            "The host packs its answer (Content-Encoding) in another way than gzip or deflate. "
            "Use a URL that gives the picture as it is.",
            status=response.status,
        ) from None
