"""A customer's server: it has pictures to be fetched, and takes callbacks as it is told to."""

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.paths import PHOTOS
from tests.running import wait_until

HANG_SECONDS = 40


@dataclass(frozen=True, kw_only=True)
class Received:
    """A callback as it was received."""

    headers: dict[str, str]  # names in lower case
    body: bytes


Behaviour = Callable[["Handler"], None]


@dataclass(kw_only=True)
class Inbox:
    """A callback URL: how it behaves to each callback in turn, and what it received."""

    url: str
    behaviours: deque[Behaviour]
    received: list[Received] = field(default_factory=list)

    def wait_for(self, count: int, seconds: float = 60) -> list[Received]:
        is_there = wait_until(lambda: len(self.received) >= count, seconds)
        assert is_there, f"{len(self.received)} of {count} callbacks came"
        return self.received


class Receiver(ThreadingHTTPServer):
    """The server, with its inboxes and the paths that were fetched."""

    daemon_threads = True
    request_queue_size = 50

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.fetched: list[str] = []
        self.inboxes: dict[str, Inbox] = {}
        self.is_over = threading.Event()
        self.may_fetch = threading.Event()
        self.may_fetch.set()

    def photo(self, name: str) -> str:
        return f"{self.url}/photos/{name}"

    def inbox(self, *behaviours: Behaviour) -> Inbox:
        """Return a new callback URL, which behaves so in turn and takes everything after that."""
        path = f"/callbacks/{len(self.inboxes)}"
        self.inboxes[path] = Inbox(url=self.url + path, behaviours=deque(behaviours))
        return self.inboxes[path]

    def redirect(self, place: str) -> str:
        return f"{self.url}/redirect/{place}"

    @contextlib.contextmanager
    def slow_photos(self) -> Iterator[None]:
        """Hold up every request for a photo until the context ends."""
        self.may_fetch.clear()
        try:
            yield
        finally:
            self.may_fetch.set()


@contextlib.contextmanager
def receiving(port: int = 0) -> Iterator[Receiver]:
    """Run a receiver until the context ends."""
    with Receiver(port) as receiver:
        thread = threading.Thread(target=receiver.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield receiver
        finally:
            receiver.is_over.set()
            receiver.shutdown()
            thread.join()


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_GET(self) -> None:
        kind, _, name = self.path.removeprefix("/").partition("/")
        self.server.fetched.append(self.path)
        if kind == "redirect":
            self.answer(302, location=f"/photos/{name}")
        elif kind != "photos" or not (PHOTOS / name).is_file():
            self.answer(404)
        elif self.server.may_fetch.wait(HANG_SECONDS):
            with contextlib.suppress(ConnectionError):
                self.answer(200, (PHOTOS / name).read_bytes())

    def do_POST(self) -> None:
        inbox = self.server.inboxes[self.path]
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        inbox.received.append(Received(headers=headers, body=body))
        behave = inbox.behaviours.popleft() if inbox.behaviours else takes
        with contextlib.suppress(ConnectionError):
            behave(self)

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def takes(handler: Handler) -> None:
    handler.answer(204)


def says(status: int, body: bytes = b"") -> Behaviour:
    return lambda handler: handler.answer(status, body)


def leads_to_itself(handler: Handler) -> None:
    handler.answer(302, location=handler.path)


def hangs(handler: Handler) -> None:
    """Behave as a server that does not respond as long as the test may last."""
    handler.server.is_over.wait(HANG_SECONDS)
