"""Limits how many requests a web process works on at once.

Each slot has its own database connection.

A request that only waits releases its slot. So a process can hold a hundred waiting calls with four
connections and the memory of four requests (docs/adr/0012).
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
MAX_SILENCE_SECONDS = 30.0
# For one read, mostly of 64 KB: clients slower than 2 KB/s are cut off.
MAX_READ_SECONDS = 30.0
# In the WSGI environ: a function that tells whether this process is about to stop.
IS_LEAVING = "swaps.is_leaving"

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]
_thread = threading.local()  # .slots: the pool from which this thread holds a slot
_reads: dict[socket.socket, float] = {}  # sockets whose body is awaited, and since when
_reads_lock = threading.Lock()


def limit_concurrency(
    application: Application,
    slots: int = SLOTS,
    *,
    max_silence_seconds: float = MAX_SILENCE_SECONDS,
) -> Application:
    """Wrap a WSGI application so that at most ``slots`` requests are at work; the others wait."""
    free: LifoQueue[Any] = LifoQueue()  # last in, first out: its caches are warm
    for _ in range(slots):
        connection = connections.create_connection(DEFAULT_DB_ALIAS)
        connection.inc_thread_sharing()  # used by several threads, one at a time
        free.put(connection)

    def limited_application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ["wsgi.input"] = _RequestBody(
            environ["wsgi.input"], environ.get("gunicorn.socket"), max_silence_seconds
        )
        _acquire(free)
        try:
            return application(environ, start_response)
        finally:
            _release(free)

    return limited_application


class _RequestBody:
    """The body of a request (``wsgi.input``) that releases the slot while it waits for data.

    A client that is silent for too long has sent all it will: reads return b"". A body that cannot
    be parsed raises OSError.
    """

    def __init__(
        self, body: Any, connection: socket.socket | None, max_silence_seconds: float
    ) -> None:
        self._body = body
        self._connection = connection
        self._max_silence_seconds = max_silence_seconds

    def read(self, *size: int) -> bytes:
        return self._read(self._body.read, *size)

    def readline(self, *size: int) -> bytes:
        return self._read(self._body.readline, *size)

    def _read(self, read: Callable[..., bytes], *size: int) -> bytes:
        try:
            return self._read_without_slot(read, *size)
        except ParseException as error:
            raise OSError("The chunks of the body are none.") from error

    def _read_without_slot(self, read: Callable[..., bytes], *size: int) -> bytes:
        with released_slot():
            if self._connection is None:
                return read(*size)
            self._connection.settimeout(self._max_silence_seconds)
            try:
                with _waiting_read(self._connection):
                    return read(*size)
            except TimeoutError:
                self._connection.shutdown(socket.SHUT_RD)  # no further request is read either
                return b""
            finally:
                self._connection.settimeout(None)


@contextlib.contextmanager
def _waiting_read(connection: socket.socket) -> Iterator[None]:
    """Note when a read started that may block, for ``cut_off_slow_reads``."""
    with _reads_lock:
        _reads[connection] = time.monotonic()
    try:
        yield
    finally:
        with _reads_lock:
            _reads.pop(connection, None)


def cut_off_slow_reads() -> None:
    """End reads that last too long; the web worker calls it about once a second."""
    begun_before = time.monotonic() - MAX_READ_SECONDS
    with _reads_lock:
        slow = [connection for connection, begun in _reads.items() if begun < begun_before]
        for connection in slow:
            del _reads[connection]
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RD)  # ends the blocked read


@contextlib.contextmanager
def released_slot() -> Iterator[None]:
    """Release this thread's slot while the block waits; it must not use the database."""
    slots = getattr(_thread, "slots", None)
    if slots is None:
        yield
        return
    _release(slots)
    try:
        yield
    finally:
        _acquire(slots)


def _acquire(slots: "LifoQueue[Any]") -> None:
    connections[DEFAULT_DB_ALIAS] = slots.get()
    _thread.slots = slots


def _release(slots: "LifoQueue[Any]") -> None:
    connection = connections[DEFAULT_DB_ALIAS]
    del connections[DEFAULT_DB_ALIAS]
    _thread.slots = None
    slots.put(connection)
