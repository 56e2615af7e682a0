"""Room to work in a web process: a few places, each with a database connection of its own.

A request that only waits steps aside and lets others work. So a process can hold a hundred waiting
calls and needs four connections, and not more memory than four requests take (docs/adr/0012).
"""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from queue import LifoQueue
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from gunicorn.http.errors import ParseException

SLOTS = 4  # in each web process
SILENCE_SECONDS = 30.0
# For one read, of 64 KB mostly; a client that is slower than 2 KB/s is cut off.
READ_SECONDS = 30.0

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]
_here = threading.local()  # .places: those from which this thread has taken one
_reads: dict[socket.socket, float] = {}  # where a body is awaited, and since when; oldest first
_reads_lock = threading.Lock()


def limited(application: Application, places: int = SLOTS) -> Application:
    """The same WSGI application, with so many requests at work at once; the others wait."""
    free: LifoQueue[Any] = LifoQueue()  # the last used is the warmest
    for _ in range(places):
        connection = connections.create_connection(DEFAULT_DB_ALIAS)
        connection.inc_thread_sharing()  # one thread after the other, never two at once
        free.put(connection)

    def limited_application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ["wsgi.input"] = _PatientInput(environ["wsgi.input"], environ.get("gunicorn.socket"))
        _enter(free)
        try:
            return application(environ, start_response)
        finally:
            _leave(free)

    return limited_application


class _PatientInput:
    """A request's body. Who waits for more of it steps aside: a slow sender holds up nobody.

    One that falls silent for too long has sent all there will be. What cannot be
    read is an OSError.
    """

    def __init__(self, body: Any, connection: socket.socket | None) -> None:
        self._body = body
        self._connection = connection

    def read(self, *size: int) -> bytes:
        return self._wait(self._body.read, *size)

    def readline(self, *size: int) -> bytes:
        return self._wait(self._body.readline, *size)

    def _wait(self, read: Callable[..., bytes], *size: int) -> bytes:
        try:
            return self._wait_aside(read, *size)
        except ParseException as error:
            raise OSError("The chunks of the body are none.") from error

    def _wait_aside(self, read: Callable[..., bytes], *size: int) -> bytes:
        with released_slot():
            if self._connection is None:
                return read(*size)
            self._connection.settimeout(SILENCE_SECONDS)
            try:
                with _waiting_read(self._connection):
                    return read(*size)
            except TimeoutError:
                self._connection.shutdown(socket.SHUT_RD)  # nor is there a next request
                return b""
            finally:
                self._connection.settimeout(None)


@contextlib.contextmanager
def _waiting_read(connection: socket.socket) -> Iterator[None]:
    """Notes since when a read lasts that may have to wait."""
    with _reads_lock:
        _reads[connection] = time.monotonic()
    try:
        yield
    finally:
        with _reads_lock:
            _reads.pop(connection, None)


def cut_off_slow_reads() -> None:
    """Ends reads that have lasted too long; the web worker calls it about once a second."""
    begun_before = time.monotonic() - READ_SECONDS
    with _reads_lock:
        slow = [connection for connection, begun in _reads.items() if begun < begun_before]
        for connection in slow:
            del _reads[connection]
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RD)  # wakes up who reads: nothing more will come


@contextlib.contextmanager
def released_slot() -> Iterator[None]:
    """Whatever happens in here needs no database, and takes nobody's place."""
    places = getattr(_here, "places", None)
    if places is None:
        yield
        return
    _leave(places)
    try:
        yield
    finally:
        _enter(places)


def _enter(places: "LifoQueue[Any]") -> None:
    connections[DEFAULT_DB_ALIAS] = places.get()
    _here.places = places


def _leave(places: "LifoQueue[Any]") -> None:
    connection = connections[DEFAULT_DB_ALIAS]
    del connections[DEFAULT_DB_ALIAS]
    _here.places = None
    places.put(connection)
