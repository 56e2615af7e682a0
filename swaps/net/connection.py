"""Sends one request to a stranger's server, over a new connection to an address that was checked.

Host header, SNI and certificate use the host's name; only the way to connect is changed.
``requests-hardened`` checks the first address only, and has no allow list, ports or deadline.
"""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property, partial
from http.client import HTTPException
from ipaddress import ip_address
from typing import Final, Self

import certifi
from urllib3 import HTTPResponse
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.util import create_urllib3_context
from urllib3.util.connection import create_connection

from swaps.net.addresses import AllowList, IPAddress, ParsedUrl, parse_url

Resolve = Callable[[str], Sequence[str]]  # a host's name to all its addresses; OSError if none

_HEADERS: Final = {
    "User-Agent": "faceswap-site",
    "Accept": "*/*",
    "Accept-Encoding": "identity",
    "Connection": "close",
}
_NOT_PUBLIC: Final = (
    "The URL does not lead to a public address. Use one that everybody can reach, or ask the "
    "operator of this site to allow it."
)


class NetError(Exception):
    """The base of everything that can go wrong with a request; ``message`` is for people."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NotAllowed(NetError):
    """The URL, or the address that it leads to, may not be requested."""


class NotReached(NetError):
    """The host could not be reached, or no response that can be read came in time."""


class Deadline:
    """Limits the time of a whole request: when it is over, its sockets are shut down.

    The timeout of a socket is not enough: it restarts with every byte that arrives.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._ends = time.monotonic() + seconds
        self.is_over = False
        self._watched: list[socket.socket] = []
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._shut_down)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        with self._lock:
            while self._watched:
                self._watched.pop().close()

    def remaining(self) -> float:
        """Return the seconds that are left; raises ``NotReached`` when there are none."""
        left = self._ends - time.monotonic()
        if self.is_over or left <= 0:
            raise NotReached(f"The host took more than {self.seconds:g} seconds. Try again later.")
        return left

    def sleep(self, seconds: float) -> bool:
        """Sleep, if there is time for it; return False at once if there is not."""
        if self._ends - time.monotonic() <= seconds:
            return False
        time.sleep(seconds)
        return True

    def watch(self, connected: socket.socket) -> None:
        """Shut this socket down when time is over."""
        with self._lock:
            # TLS detaches the original's descriptor, and its sockets have no dup().
            copy = socket.fromfd(connected.fileno(), connected.family, connected.type)
            self._watched.append(copy)
        if self.is_over:
            self._shut_down()

    def _shut_down(self) -> None:
        self.is_over = True
        with self._lock:
            for watched in self._watched:
                with suppress(OSError):  # it is closed already
                    watched.shutdown(socket.SHUT_RDWR)


@dataclass(frozen=True, kw_only=True)
class RequestContext:
    """What all requests of one ``fetch`` or ``post`` share, redirects included."""

    allow: AllowList
    resolve: Resolve
    deadline: Deadline

    @cached_property
    def tls(self) -> ssl.SSLContext:
        return tls_context()


def tls_context() -> ssl.SSLContext:
    """Return a context that trusts the system's certificate authorities and certifi's."""
    context = create_urllib3_context()
    context.load_default_certs()
    context.load_verify_locations(certifi.where())
    return context


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
        raise NotReached(
            "The host has no certificate that can be trusted. Renew it, or use another host."
        ) from error
    except (OSError, HTTPError, HTTPException, ValueError) as error:
        context.deadline.remaining()  # the deadline may have cut it off
        raise NotReached(
            "The host broke off, or its answer is not HTTP. Try again later, or use another host."
        ) from error


def checked_url(url: str, allow: AllowList) -> ParsedUrl:
    """Parse a URL and check it without using the network; raises ``NotAllowed``."""
    try:
        target = parse_url(url)
    except ValueError as error:
        raise NotAllowed(str(error)) from None
    if not allow.may_permit(target):
        raise NotAllowed(
            "The URL leads to a host that is not on the list of those that may be asked."
            if allow.is_exclusive
            else f"Port {target.port} is not open to URLs. Use 80 or 443."
        )
    if not allow.may_permit_address(target):
        raise NotAllowed(_NOT_PUBLIC)
    return target


def _check_addresses(target: ParsedUrl, addresses: Sequence[IPAddress], allow: AllowList) -> None:
    if not all(allow.permits(target, address) for address in addresses):
        raise NotAllowed(_NOT_PUBLIC)


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
    """The same over TLS."""


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
    raise NotReached("The host cannot be connected to. Try again later, or use another host.")


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
        raise NotReached("The host was not found. Check its spelling.") from error


def resolve_host(host: str) -> list[str]:
    """Return all addresses of a host name; raises OSError when it has none."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]
