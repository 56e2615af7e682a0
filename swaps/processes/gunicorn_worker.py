"""gunicorn's threaded worker, in which a request takes a thread once it has been received.

Heads and small bodies are collected in the main thread, by the poller that looks after kept-alive
connections already. A client that sends them slowly, or never ends, holds a socket for
``HEAD_SECONDS`` and nothing else. Large bodies are read in threads, by the views; a limited number
of them at once, and the others queue without a thread (docs/adr/0025).
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
QUEUE_SECONDS = 60.0
INVALID_REQUEST = b"\n"  # which gunicorn refuses
# gunicorn refuses heads with bare line feeds as soon as it sees one.
HEAD_END = re.compile(rb"\r?\n\r?\n")
MAX_HEAD_END_BYTES = 4
LENGTH = re.compile(rb"^content-length:[ \t]*(\d{1,19})", re.IGNORECASE | re.MULTILINE)
EXPECT = re.compile(rb"^expect:", re.IGNORECASE | re.MULTILINE)
CHUNKED = re.compile(rb"^transfer-encoding:", re.IGNORECASE | re.MULTILINE)


@dataclass(kw_only=True)
class PartialRequest:
    """The bytes of a request that have been received so far."""

    begun: float
    data: bytearray = field(default_factory=bytearray)
    missing: float | None = None  # bytes of its body; None until its head has come

    def add(self, data: bytes) -> None:
        """Append bytes. None is searched again for each one that comes; they may come singly."""
        unsearched = max(0, len(self.data) - MAX_HEAD_END_BYTES + 1)
        self.data += data
        if self.missing is not None:
            self.missing -= len(data)
        elif end := HEAD_END.search(self.data, unsearched):
            self.missing = _missing_body_bytes(self.data, end.end())
        elif len(self.data) > MAX_HEAD_BYTES:
            self.data[:] = INVALID_REQUEST
            self.missing = 0


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """A threaded worker that gives threads to received requests only.

    All methods here run in the main thread.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Connections whose next request is awaited, in the order in which that began.
        self.heads: dict[TConn, PartialRequest] = {}
        self.uploads: set[TConn] = set()  # large bodies that threads may be reading
        self.waiting_uploads: dict[
            TConn, float
        ] = {}  # and those that wait for a thread, since when

    def accept(self, listener: socket.socket) -> None:
        """Accept a connection; when there are too many, drop the oldest unfinished head."""
        if self.heads and self.nr_conns >= self.worker_connections - 1:
            self._drop(next(iter(self.heads)))
        super().accept(listener)

    def enqueue_req(self, conn: TConn) -> None:
        """Await the next head of a connection; gunicorn would give it a thread for that."""
        conn.init()
        conn.sock.setblocking(False)
        self.heads[conn] = PartialRequest(begun=time.monotonic())
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._receive_head, conn))
        if not self._feed(conn.parser.unreader.take_buffered(), conn):
            self._receive_head(conn, conn.sock)

    def finish_request(self, conn: TConn, fs: Any) -> None:
        self.uploads.discard(conn)
        super().finish_request(conn, fs)
        self._start_uploads()

    def murder_pending(self) -> None:
        """Drop connections whose time is over; gunicorn calls this once a second."""
        super().murder_pending()
        request_slots.cut_off_slow_reads()
        self._start_uploads()
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
            self._feed(data, conn)
        else:  # the client has gone
            self._drop(conn)

    def _feed(self, data: bytes, conn: TConn) -> bool:
        """Append bytes to a request and hand it on when it is whole or has a large body.

        Returns True when it was handed on.
        """
        request = self.heads[conn]
        request.add(data)
        if request.missing is None or 0 < request.missing <= SMALL_BODY_BYTES:
            return False
        self._unregister(conn)
        conn.parser.unreader.unread(bytes(request.data))
        if request.missing <= 0:
            super().enqueue_req(conn)
        else:
            self.waiting_uploads[conn] = time.monotonic()
            self._start_uploads()
        return True

    def _start_uploads(self) -> None:
        """Give threads to large bodies, the longest waiting first; drop what waited too long."""
        if not self.waiting_uploads:
            return
        self.uploads = {conn for conn in self.uploads if not _is_body_read(conn)}
        while self.waiting_uploads and len(self.uploads) < self.cfg.threads // 2:
            conn = next(iter(self.waiting_uploads))
            del self.waiting_uploads[conn]
            self.uploads.add(conn)
            super().enqueue_req(conn)
        begun_before = time.monotonic() - QUEUE_SECONDS
        for conn in [conn for conn, begun in self.waiting_uploads.items() if begun < begun_before]:
            del self.waiting_uploads[conn]
            self.nr_conns -= 1
            conn.close()

    def _drop(self, conn: TConn) -> None:
        self._unregister(conn)
        self.nr_conns -= 1
        conn.close()

    def _unregister(self, conn: TConn) -> None:
        del self.heads[conn]
        self.poller.unregister(conn.sock)


def _missing_body_bytes(head: bytearray, end: int) -> float:
    """Return how many bytes of a body are missing after its head; infinite when it does not say."""
    if CHUNKED.search(head, 0, end):
        return 0 if head.endswith(b"0\r\n\r\n") else math.inf
    length = LENGTH.search(head, 0, end)
    missing = max(0, int(length[1]) - len(head) + end) if length else 0
    # A client that sends Expect waits for the view's first read, or is refused before.
    return math.inf if missing and EXPECT.search(head, 0, end) else missing


def _is_body_read(conn: TConn) -> bool:
    """Return True when a request awaits no more of its body, whatever else it still does."""
    reader = conn.parser.mesg and conn.parser.mesg.body.reader
    return bool(reader) and not (reader.length if hasattr(reader, "length") else reader.parser)
