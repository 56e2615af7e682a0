"""Sends one request to a stranger's server, over a new connection to an address that was checked.

Host header, SNI and certificate use the host's name; only the way to connect is changed.
``requests-hardened`` checks the first address only, and has no allow list, ports or deadline.
"""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property, partial
from http.client import HTTPException
from ipaddress import ip_address
from typing import Final

from urllib3 import HTTPResponse
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.util.connection import create_connection

from swaps.net.addresses import AllowList, IPAddress, ParsedUrl, parse_url
from swaps.net.deadline import Deadline
from swaps.net.errors import NotAllowed, NotReached
from swaps.net.tls import tls_context

Resolve = Callable[[str], Sequence[str]]  # a host's name to all its addresses; OSError if none

_HEADERS: Final = {
    "User-Agent": "faceswap-site",
    "Accept": "*/*",
    "Accept-Encoding": "identity",
    "Connection": "close",
}


@dataclass(frozen=True, kw_only=True)
class RequestContext:
    """What all requests of one ``fetch`` or ``post`` share, redirects included."""

    allow: AllowList
    resolve: Resolve
    deadline: Deadline

    @cached_property
    def tls(self) -> ssl.SSLContext:
        return tls_context()


@contextmanager
def request(
    method: str,
    url: str,
    context: RequestContext,
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Iterator[HTTPResponse]:
    """Send a request and yield the response, its body still unread.

    Everything that goes wrong is raised as a ``NetError``, also while the caller reads the body.
    """
    target = checked_url(url, context.allow)
    try:
        with closing(_connection(target, context)) as connection:
            connection.request(
                method,
                target.path,
                body=body,
                headers={**(headers or {}), **_HEADERS},
                preload_content=False,
                decode_content=False,
            )
            with closing(connection.getresponse()) as response:
                yield response
    except ssl.SSLCertVerificationError as error:
        raise NotReached("host.certificate") from error
    except (OSError, HTTPError, HTTPException, ValueError) as error:
        context.deadline.remaining()  # the deadline may have cut it off
        raise NotReached("host.broke_off") from error


def checked_url(url: str, allow: AllowList) -> ParsedUrl:
    """Parse a URL and check it without using the network; raises ``NotAllowed``."""
    target = parse_url(url)
    if not allow.may_permit(target):
        if allow.is_exclusive:
            raise NotAllowed("url.not_listed")
        raise NotAllowed("url.port", port=target.port)
    if not allow.may_permit_address(target):
        raise NotAllowed("url.not_public")
    return target


def _check_addresses(target: ParsedUrl, addresses: Sequence[IPAddress], allow: AllowList) -> None:
    if not all(allow.permits(target, address) for address in addresses):
        raise NotAllowed("url.not_public")


class _Http(HTTPConnection):
    """A connection whose socket is opened by ``dial``, to an address that was checked."""

    dial: Callable[[], socket.socket]

    def _new_conn(self) -> socket.socket:
        return self.dial()

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as urllib3's
        if self._response_options:  # urllib3 logs malformed headers with the path, maybe a secret
            self._response_options = self._response_options._replace(request_url="/")
        return super().getresponse()


class _Https(_Http, HTTPSConnection):
    """The same connection over TLS."""


def _connection(target: ParsedUrl, context: RequestContext) -> _Http:
    timeout = context.deadline.remaining()
    if target.is_https:
        connection: _Http = _Https(
            target.host, target.port, timeout=timeout, ssl_context=context.tls
        )
    else:
        connection = _Http(target.host, target.port, timeout=timeout)
    connection.dial = partial(_dial, target, context)
    return connection


def _dial(target: ParsedUrl, context: RequestContext) -> socket.socket:
    """Resolve the host once, check all its addresses, and connect to the first that answers."""
    addresses = [target.address] if target.address else _look_up(target.host, context)
    _check_addresses(target, addresses, context.allow)
    for tried, address in enumerate(addresses):
        share = context.deadline.remaining() / (len(addresses) - tried)
        with suppress(OSError):
            connected = create_connection((str(address), target.port), share)
            context.deadline.watch(connected)
            return connected
    context.deadline.remaining()
    raise NotReached("host.no_connection")


def _look_up(host: str, context: RequestContext) -> list[IPAddress]:
    """Resolve a host name in a thread, since a resolver that hangs cannot be interrupted."""
    found: Future[Sequence[str]] = Future()

    def look_up() -> None:
        try:
            found.set_result(context.resolve(host))
        except Exception as error:  # noqa: BLE001  raised again by whoever waits
            found.set_exception(error)

    threading.Thread(target=look_up, daemon=True).start()
    try:
        return [ip_address(address) for address in found.result(context.deadline.remaining())]
    except (OSError, ValueError) as error:
        context.deadline.remaining()
        raise NotReached("host.not_found") from error


def resolve_host(host: str) -> list[str]:
    """Return all addresses of a host name; raises OSError when it has none."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]
