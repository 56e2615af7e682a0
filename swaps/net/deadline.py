"""A time limit for a whole request to another server, whatever it is waiting for."""

import socket
import threading
import time
from contextlib import suppress
from typing import Self

from swaps.net.errors import NotReached


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
            raise NotReached("host.late", seconds=self.seconds)
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
