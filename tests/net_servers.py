"""Small real servers that misbehave in one way each, for the tests of ``swaps.net``."""

import base64
import contextlib
import re
import socket
import ssl
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

Behaviour = Callable[["Peer"], None]

# For start.test, from 2020 to 2120, signed by itself. Nobody else trusts it.
_CERTIFICATE = """
MIIBtDCCAVqgAwIBAgIBATAKBggqhkjOPQQDAjAZMRcwFQYDVQQKDA5mYWNlc3dhcCB0ZXN0czAgFw0yMDAxMDEw
MDAwMDBaGA8yMTIwMDEwMTAwMDAwMFowGTEXMBUGA1UECgwOZmFjZXN3YXAgdGVzdHMwWTATBgcqhkjOPQIBBggq
hkjOPQMBBwNCAASIytpaWgMbADLZB58RPJ/yohL9XgkOIe3Koz+5C7+la+yjowFjZ3qC1nnjM+orK2J3AByGoqb3
YS2Ii7yc+5CUo4GQMIGNMA8GA1UdEwEB/wQFMAMBAf8wDgYDVR0PAQH/BAQDAgKEMBUGA1UdEQQOMAyCCnN0YXJ0
LnRlc3QwEwYDVR0lBAwwCgYIKwYBBQUHAwEwHQYDVR0OBBYEFD9lCPF3lGwGQ6e17Fx312wA3CAuMB8GA1UdIwQY
MBaAFD9lCPF3lGwGQ6e17Fx312wA3CAuMAoGCCqGSM49BAMCA0gAMEUCIQDKnqisLhXiUoUM0IlddnEnMHTHQpJ+
kSjtsyTXvuB93gIgLrdfnHKL42cnS+wAzjS/Lpz6PQs/Im59zPEHsryVdhE=
"""
_KEY = """
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgYzNarlSZ5lAhZz23KcvU4d1WStT4yvAIhWKjN4p/
ksuhRANCAASIytpaWgMbADLZB58RPJ/yohL9XgkOIe3Koz+5C7+la+yjowFjZ3qC1nnjM+orK2J3AByGoqb3YS2I
i7yc+5CU
"""


class Peer:
    """A client's connection. Errors of sending and receiving end it silently."""

    def __init__(self, connection: socket.socket, number: int, is_over: threading.Event) -> None:
        self._connection = connection
        self._is_over = is_over
        self.number = number  # of the connection, from 0

    def request(self) -> bytes:
        """Read a request: its head, and the body that it announces."""
        received = b""
        while not _is_whole(received) and (piece := self._connection.recv(65_536)):
            received += piece
        return received

    def send(self, data: bytes) -> None:
        self._connection.sendall(data)

    def wait(self, seconds: float = 30) -> bool:
        """Wait; return True when the test is over."""
        return self._is_over.wait(seconds)


def _is_whole(request: bytes) -> bool:
    head, end, body = request.partition(b"\r\n\r\n")
    length = re.search(rb"\r\ncontent-length: (\d+)", head, re.IGNORECASE)
    return bool(end) and len(body) >= (int(length[1]) if length else 0)


class Server:
    """A server that treats each connection by a behaviour, in a thread."""

    def __init__(self, behave: Behaviour, at: str, port: int, tls: ssl.SSLContext | None) -> None:
        family = socket.AF_INET6 if ":" in at else socket.AF_INET
        self._listener = socket.create_server((at, port), family=family)
        self._behave = behave
        self._tls = tls
        self._is_over = threading.Event()
        self._connections: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self.port: int = self._listener.getsockname()[1]
        self.requests: list[bytes] = []
        self.seen = 0  # connections

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def close(self) -> None:
        """Give the port back; for a server that was never entered."""
        self._listener.close()

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        for connection in (self._listener, *self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                thread = threading.Thread(target=self._serve, args=(connection, self.seen))
                self.seen += 1
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        with contextlib.ExitStack() as stack:
            stack.enter_context(contextlib.suppress(OSError))
            stack.enter_context(connection)
            self._connections.append(connection)
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
                stack.enter_context(connection)
                self._connections.append(connection)
            peer = Peer(connection, number, self._is_over)
            if self._behave is not silent:
                self.requests.append(peer.request())
            self._behave(peer)


def serving(
    behave: Behaviour, *, at: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None
) -> Server:
    """Return a server that behaves so to every client, once it has read the request."""
    return Server(behave, at, port, tls)


@contextlib.contextmanager
def serving_beside_sentinel(behave: Behaviour) -> Iterator[tuple[Server, Server]]:
    """Yield a server at 127.0.0.2, and a silent one at the same port of 127.0.0.1.

    Somebody's own connection may have that port there, so another one is taken then.
    """
    with contextlib.ExitStack() as stack:
        for _ in range(20):
            server = serving(behave, at="127.0.0.2")
            try:
                sentinel = serving(silent, port=server.port)
            except OSError:
                server.close()
                continue
            yield stack.enter_context(server), stack.enter_context(sentinel)
            return
        raise AssertionError("no port is free at both addresses")


@contextlib.contextmanager
def full_port() -> Iterator[int]:
    """Yield a port at which connecting hangs: nobody accepts, and its queue is full."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def certificate_for(folder: Path, names: list[str | None]) -> tuple[Path, ssl.SSLContext]:
    """Return the file that lets a client trust the server, and the server's TLS context.

    ``names`` collects what clients call the server in their handshakes.
    """
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    certificate.write_text(ssl.DER_cert_to_PEM_cert(base64.b64decode(_CERTIFICATE)))
    kind = "PRIVATE KEY"  # not in one piece, for those who search repositories for keys
    key.write_text(f"-----BEGIN {kind}-----\n{textwrap.dedent(_KEY).strip()}\n-----END {kind}-----")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    def note(_socket: object, name: str | None, _context: object) -> None:
        names.append(name)

    context.sni_callback = note
    return certificate, context


# --- Behaviours -----------------------------------------------------------------------------------


def silent(peer: Peer) -> None:
    """Behave as a server that does not even read."""
    peer.wait()


def answer(body: bytes = b"", *, status: int = 200, head: str = "") -> bytes:
    """Return the bytes of a response; ``head`` is more header lines, each with its CRLF."""
    return (
        f"HTTP/1.1 {status} Fine\r\nContent-Length: {len(body)}\r\n{head}\r\n".encode("latin-1")
        + body
    )


def says(*answers: bytes) -> Behaviour:
    """Send the first response to the first connection, and so on; the last to all others."""

    def behave(peer: Peer) -> None:
        peer.send(answers[min(peer.number, len(answers) - 1)])

    return behave


def leads_to(*locations: str, status: int = 302) -> Behaviour:
    """Redirect the first connection to the first location, and so on."""
    return says(*(answer(status=status, head=f"Location: {place}\r\n") for place in locations))


def drips(start: bytes, again: bytes, *, pause: float = 0.02) -> Behaviour:
    """Send ``start``, then ``again`` for ever, slowly unless ``pause`` is 0."""

    def behave(peer: Peer) -> None:
        peer.send(start)
        while not peer.wait(pause):
            peer.send(again)

    return behave
