"""gunicorn's threaded worker, in which a request takes a thread once it has come in.

Heads and small bodies are collected in the main thread, by the poller that looks after kept-alive
connections already. A client that sends them slowly, or never ends, holds a socket for
``HEAD_SECONDS`` and nothing else. Large bodies are read in threads, by the views; so many requests
at once, and the others stand in line without a thread (docs/adr/0025).
"""

import math
import re
import selectors
import socket
import time
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

from swaps.runtime import request_slots

HEAD_SECONDS = 10.0
STOPPING_SECONDS = 2.0  # for heads that are on their way when the worker stops
MAX_HEAD_BYTES = 65_536
RECEIVE_BYTES = 16_384
SMALL_BODY_BYTES = 16_384
LINE_SECONDS = 60.0
NO_REQUEST = b"\n"  # which gunicorn refuses
# gunicorn refuses heads with bare line feeds as soon as it sees one.
HEAD_END = re.compile(rb"\r?\n\r?\n")
MAX_HEAD_END_BYTES = 4
LENGTH = re.compile(rb"^content-length:[ \t]*(\d{1,19})", re.IGNORECASE | re.MULTILINE)
EXPECT = re.compile(rb"^expect:", re.IGNORECASE | re.MULTILINE)
CHUNKED = re.compile(rb"^transfer-encoding:", re.IGNORECASE | re.MULTILINE)


@dataclass(kw_only=True)
class Request:
    """What has come of a request so far."""

    begun: float
    data: bytearray = field(default_factory=bytearray)
    missing: float | None = None  # bytes of its body; None until its head has come

    def add(self, data: bytes) -> None:
        """No byte is searched again for each one that comes: they may come one by one."""
        unsearched = max(0, len(self.data) - MAX_HEAD_END_BYTES + 1)
        self.data += data
        if self.missing is not None:
            self.missing -= len(data)
        elif end := HEAD_END.search(self.data, unsearched):
            self.missing = _missing_of_body(self.data, end.end())
        elif len(self.data) > MAX_HEAD_BYTES:
            self.data[:] = NO_REQUEST
            self.missing = 0


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """See the module's docstring. Everything in here runs in the main thread."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Connections whose next request is awaited, in the order in which that began.
        self.heads: dict[TConn, Request] = {}
        self.uploads: set[TConn] = set()  # whose large bodies threads may be waiting for
        self.line: dict[TConn, float] = {}  # those that would be, since when

    def accept(self, listener: socket.socket) -> None:
        """A new connection; when there are too many, in the place of the oldest unfinished head."""
        if self.heads and self.nr_conns >= self.worker_connections - 1:
            self._drop(next(iter(self.heads)))
        super().accept(listener)

    def enqueue_req(self, conn: TConn) -> None:
        """Await the next head of a connection; gunicorn would give it a thread for that."""
        conn.init()
        conn.sock.setblocking(False)
        self.heads[conn] = Request(begun=time.monotonic())
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._receive_head, conn))
        if not self._is_handed_on_with(conn.parser.unreader.take_buffered(), conn):
            self._receive_head(conn, conn.sock)

    def finish_request(self, conn: TConn, fs: Any) -> None:
        self.uploads.discard(conn)
        super().finish_request(conn, fs)
        self._advance_line()

    def murder_pending(self) -> None:
        """Called once a second, for connections whose time is over."""
        super().murder_pending()
        request_slots.cut_off_slow_reads()
        self._advance_line()
        begun_before = time.monotonic() - (HEAD_SECONDS if self.alive else STOPPING_SECONDS)
        for conn in [conn for conn, head in self.heads.items() if head.begun < begun_before]:
            self._drop(conn)

    def _receive_head(self, conn: TConn, sock: socket.socket) -> None:
        if conn not in self.heads:
            return  # dropped for a new connection that was accepted a moment before
        try:
            data = sock.recv(RECEIVE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._is_handed_on_with(data, conn)
        else:  # the client has gone
            self._drop(conn)

    def _is_handed_on_with(self, data: bytes, conn: TConn) -> bool:
        """Add to a request; hand it on when it is whole, or has a large body."""
        request = self.heads[conn]
        request.add(data)
        if request.missing is None or 0 < request.missing <= SMALL_BODY_BYTES:
            return False
        self._forget(conn)
        conn.parser.unreader.unread(bytes(request.data))
        if request.missing <= 0:
            super().enqueue_req(conn)
        else:
            self.line[conn] = time.monotonic()
            self._advance_line()
        return True

    def _advance_line(self) -> None:
        """Give threads to large bodies, the longest waiting first."""
        if not self.line:
            return
        self.uploads = {conn for conn in self.uploads if not _is_body_read(conn)}
        while self.line and len(self.uploads) < self.cfg.threads // 2:
            conn = next(iter(self.line))
            del self.line[conn]
            self.uploads.add(conn)
            super().enqueue_req(conn)
        begun_before = time.monotonic() - LINE_SECONDS
        for conn in [conn for conn, begun in self.line.items() if begun < begun_before]:
            del self.line[conn]
            self.nr_conns -= 1
            conn.close()

    def _drop(self, conn: TConn) -> None:
        self._forget(conn)
        self.nr_conns -= 1
        conn.close()

    def _forget(self, conn: TConn) -> None:
        del self.heads[conn]
        self.poller.unregister(conn.sock)


def _missing_of_body(head: bytearray, end: int) -> float:
    """How many bytes have to come after a head that ends there; infinite when it does not say."""
    if CHUNKED.search(head, 0, end):
        return 0 if head.endswith(b"0\r\n\r\n") else math.inf
    length = LENGTH.search(head, 0, end)
    missing = max(0, int(length[1]) - len(head) + end) if length else 0
    # Who asks first is answered by the view's first read, or refused before.
    return math.inf if missing and EXPECT.search(head, 0, end) else missing


def _is_body_read(conn: TConn) -> bool:
    """Whether a request waits for nothing more of its body, whatever else it still does."""
    reader = conn.parser.mesg and conn.parser.mesg.body.reader
    return bool(reader) and not (reader.length if hasattr(reader, "length") else reader.parser)
