"""One request to a stranger, on a connection of its own, to an address that was checked.

Host header, SNI and certificate go by the host's name; only the way to connect is changed.
``requests-hardened`` checks the first address only, and knows no allow list, ports or deadline.
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

from swaps.net.addresses import Allow, IPAddress, Target, parse

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
    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NotAllowed(NetError):
    pass


class NotReached(NetError):
    pass


class Deadline:
    """Ends a whole call, whatever it waits for: when time is up, its sockets are shut down.

    A socket's own time limit is for one read or write, and begins anew with every byte.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._ends = time.monotonic() + seconds
        self.is_over = False
        self._watched: list[socket.socket] = []
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        with self._lock:
            while self._watched:
                self._watched.pop().close()

    def left(self) -> float:
        """Seconds. Raises NotReached when there are none."""
        left = self._ends - time.monotonic()
        if self.is_over or left <= 0:
            raise NotReached(f"The host took more than {self.seconds:g} seconds. Try again later.")
        return left

    def pause(self, seconds: float) -> bool:
        """False at once if there is no time for it."""
        if self._ends - time.monotonic() <= seconds:
            return False
        time.sleep(seconds)
        return True

    def watch(self, connected: socket.socket) -> None:
        with self._lock:
            # TLS takes the original's descriptor away, and has no dup() of its own.
            copy = socket.fromfd(connected.fileno(), connected.family, connected.type)
            self._watched.append(copy)
        if self.is_over:
            self._cut()

    def _cut(self) -> None:
        self.is_over = True
        with self._lock:
            for watched in self._watched:
                with suppress(OSError):  # the other side was faster
                    watched.shutdown(socket.SHUT_RDWR)


@dataclass(frozen=True, kw_only=True)
class Call:
    """What the requests of one call share."""

    allow: Allow
    resolve: Resolve
    deadline: Deadline

    @cached_property
    def tls(self) -> ssl.SSLContext:
        return tls_context()


def tls_context() -> ssl.SSLContext:
    """Trusts whom the system trusts (operators may add to that) and whom browsers trust."""
    context = create_urllib3_context()
    context.load_default_certs()
    context.load_verify_locations(certifi.where())
    return context


@contextmanager
def request(
    method: str,
    url: str,
    call: Call,
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Iterator[HTTPResponse]:
    """Whatever breaks is a NetError, while the body is read too."""
    target = check(url, call.allow)
    try:
        with closing(_connection(target, call)) as connection:
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
        call.deadline.left()  # that it broke off may be our own doing
        raise NotReached(
            "The host broke off, or its answer is not HTTP. Try again later, or use another host."
        ) from error


def check(url: str, allow: Allow) -> Target:
    """Without a network. Raises NotAllowed."""
    try:
        target = parse(url)
    except ValueError as error:
        raise NotAllowed(str(error)) from None
    if not allow.may_permit(target):
        raise NotAllowed(
            "The URL leads to a host that is not on the list of those that may be asked."
            if allow.is_closed
            else f"Port {target.port} is not open to URLs. Use 80 or 443."
        )
    if not allow.may_permit_address(target):
        raise NotAllowed(_NOT_PUBLIC)
    return target


def _check_addresses(target: Target, addresses: Sequence[IPAddress], allow: Allow) -> None:
    if not all(allow.permits(target, address) for address in addresses):
        raise NotAllowed(_NOT_PUBLIC)


class _Http(HTTPConnection):
    dial: Callable[[], socket.socket]

    def _new_conn(self) -> socket.socket:
        return self.dial()

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as urllib3's
        if self._response_options:  # urllib3 logs malformed headers with the path, maybe a secret
            self._response_options = self._response_options._replace(request_url="/")
        return super().getresponse()


class _Https(_Http, HTTPSConnection):
    pass


def _connection(target: Target, call: Call) -> _Http:
    timeout = call.deadline.left()
    if target.is_https:
        connection: _Http = _Https(target.host, target.port, timeout=timeout, ssl_context=call.tls)
    else:
        connection = _Http(target.host, target.port, timeout=timeout)
    connection.dial = partial(_dial, target, call)
    return connection


def _dial(target: Target, call: Call) -> socket.socket:
    """Resolve once, check every address, connect to one of them."""
    addresses = [target.address] if target.address else _look_up(target.host, call)
    _check_addresses(target, addresses, call.allow)
    for tried, address in enumerate(addresses):
        share = call.deadline.left() / (len(addresses) - tried)
        with suppress(OSError):
            connected = create_connection((str(address), target.port), share)
            call.deadline.watch(connected)
            return connected
    call.deadline.left()
    raise NotReached("The host cannot be connected to. Try again later, or use another host.")


def _look_up(host: str, call: Call) -> list[IPAddress]:
    """In a thread of its own: nothing ends a resolver that hangs."""
    found: Future[Sequence[str]] = Future()

    def look_up() -> None:
        try:
            found.set_result(call.resolve(host))
        except Exception as error:  # noqa: BLE001  raised again by whoever waits
            found.set_exception(error)

    threading.Thread(target=look_up, daemon=True).start()
    try:
        return [ip_address(address) for address in found.result(call.deadline.left())]
    except (OSError, ValueError) as error:
        call.deadline.left()
        raise NotReached("The host was not found. Check its spelling.") from error


def resolve_host(host: str) -> list[str]:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]
