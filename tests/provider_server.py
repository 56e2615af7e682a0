"""A hosted provider as a real server: it keeps to the contract, or breaks it in one way each.

    with running_provider(Behaviour(callbacks=2)) as provider:
        settings.FACESWAP_HOSTED_URL, settings.FACESWAP_HOSTED_KEY = provider.url, provider.key

Every call that it received, and every callback that it posted, is recorded.
"""

import contextlib
import io
import json
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

import requests
from PIL import Image, ImageChops, ImageStat

from tests.running import wait_until

KEY = "sk-test-5d2f0c1e9a"
CORNER = 4  # the source's thumbnail takes a quarter of the result's width
SECONDS = 60  # for whatever it waits for itself

Offer = Literal["offered", "api_not_implemented", "no_api", "method_not_allowed"]


@dataclass(frozen=True, kw_only=True)
class Reply:
    """How one call is answered; by default as the contract says."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None  # instead of the contract's
    after: float = 0.0  # seconds
    drip: float = 0.0  # seconds between any two bytes
    cut_at: int | None = None  # so many bytes are sent, then the connection ends
    closes: bool = False  # the connection, without having said so


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """How one call for a swap, and the task that it starts, are treated."""

    reply: Reply = field(default_factory=Reply)
    starts: bool = True  # False: no task is begun
    is_synchronous: bool = False  # the result comes in the answer; there is no callback
    works_for: float = 0.0  # seconds
    fails: bool = False  # the task ends without a picture
    error: Any = None  # what then stands under "error", in any spelling; ...: nothing does
    is_forgotten: bool = False  # by /face/tasks

    callbacks: int = 1  # how often it is posted
    callback_after: float = 0.0  # seconds after the task has ended
    is_callback_first: bool = False  # before the answer to the call
    callback_task_id: str = ""  # another task's
    callback_body: bytes | None = None

    size: tuple[int, int] | None = None  # of the result; None: the target's, or 400 × 300
    result: bytes | None = None  # instead of a picture
    result_url: str = ""  # instead of its place here
    result_statuses: tuple[int, ...] = ()  # of the first requests for it
    result_redirects: int = 0
    result_after: float = 0.0  # seconds


def refuses(
    status: int, code: str = "", message: str = "No.", *, retry_after: str = ""
) -> Behaviour:
    """Return a behaviour in which the call starts nothing."""
    headers = {"Retry-After": retry_after} if retry_after else {}
    body = json.dumps({"success": False, "error": {"code": code, "message": message}}).encode()
    return Behaviour(reply=Reply(status=status, headers=headers, body=body), starts=False)


def fails(code: str, message: str = "No.") -> Behaviour:
    """Return a behaviour in which the task ends with an error."""
    return Behaviour(fails=True, error={"code": code, "message": message})


@dataclass(frozen=True, kw_only=True)
class ReceivedCall:
    """A request that was made to the provider."""

    number: int  # of all calls to this path, from 0
    attempt: int  # of the calls with this idempotency key, from 0
    path: str
    headers: dict[str, str]  # names in lower case
    body: bytes
    connection: int  # those with the same number came over one connection

    @property
    def payload(self) -> dict[str, Any]:
        payload: dict[str, Any] = json.loads(self.body)
        return payload


@dataclass(kw_only=True)
class Task:
    """A task of the provider."""

    id: str
    request: dict[str, Any]
    behaviour: Behaviour
    created_at: float = field(default_factory=time.time)
    finished_at: float | None = None
    result: bytes = b""
    size: tuple[int, int] = (0, 0)
    error: Any = None
    has_failed: bool = False
    fetched: int = 0  # requests for its result
    is_done: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True, kw_only=True)
class Posted:
    """A callback that was posted: the status of the response, or None and the problem."""

    task_id: str
    status: int | None
    problem: str = ""


Choose = Callable[[ReceivedCall], Behaviour]


class Provider(ThreadingHTTPServer):
    """The server, with its tasks, the calls it received and the callbacks it posted."""

    daemon_threads = True
    request_queue_size = 200

    def __init__(
        self,
        choose: Choose,
        *,
        port: int,
        fetches: bool,
        tasks_are: Offer,
        honours_idempotency: bool,
        asked: Sequence[Reply],
    ) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.key = KEY
        self.tasks: dict[str, Task] = {}
        self.calls: list[ReceivedCall] = []
        self.posted: list[Posted] = []
        self.pictures: dict[str, bytes] = {}
        self.most_at_once = 0  # tasks that were being worked on
        self.is_over = threading.Event()
        self.tasks_are = tasks_are
        self.asked = list(asked)
        self._choose = choose
        self._fetches = fetches
        self._honours_idempotency = honours_idempotency
        self._by_key: dict[str, Task] = {}
        self._lock = threading.Lock()
        self._drawing = threading.Semaphore(2)
        self._at_once = 0
        self._working: list[threading.Thread] = []
        self._connections: list[socket.socket] = []

    # --- what a test asks of it -----------------------------------------------------------

    @property
    def swaps(self) -> list[ReceivedCall]:
        return [call for call in self.calls if call.path == "/face/swap"]

    @property
    def task_calls(self) -> list[ReceivedCall]:
        return [call for call in self.calls if call.path == "/face/tasks"]

    @property
    def task(self) -> Task:
        """Return the only task."""
        (task,) = self.tasks.values()
        return task

    def serve_picture(self, name: str, data: bytes) -> str:
        """Serve a picture to everybody, and return its URL."""
        self.pictures[name] = data
        return f"{self.url}/pictures/{name}"

    def wait_for_callbacks(self, count: int, seconds: float = SECONDS) -> list[Posted]:
        is_there = wait_until(lambda: len(self.posted) >= count, seconds)
        assert is_there, f"{len(self.posted)} of {count} callbacks were posted"
        return self.posted

    def post_again(self, task: Task) -> int | None:
        """Post one more callback now, and return the status of the response."""
        return self._post(task).status

    # --- a call ---------------------------------------------------------------------------

    def record_call(
        self, path: str, headers: dict[str, str], body: bytes, connection: int
    ) -> ReceivedCall:
        key = headers.get("idempotency-key", "")
        with self._lock:
            earlier = [call for call in self.calls if call.path == path]
            same = [call for call in earlier if call.headers.get("idempotency-key", "") == key]
            call = ReceivedCall(
                number=len(earlier),
                attempt=len(same) if key else 0,
                path=path,
                headers=headers,
                body=body,
                connection=connection,
            )
            self.calls.append(call)
        return call

    def swap(self, call: ReceivedCall) -> tuple[Reply, bytes]:
        """Handle ``/face/swap``: return how to reply, and the contract's body."""
        payload = _read(call.body)
        if not payload.get("source_image_url") or not payload.get("target_image_url"):
            return Reply(status=400), _error("bad_request", "Both image URLs are required.")
        behaviour = self._choose(call)
        if not behaviour.starts:
            return behaviour.reply, _error("api_error", "Nothing was begun.")
        task, is_new = self._task(call, payload, behaviour)
        if task.request != payload:
            return Reply(status=409), _error("idempotency_conflict", "The body is another.")
        if is_new:
            self._begin(task)
        if behaviour.is_synchronous:
            task.is_done.wait(SECONDS)
            return behaviour.reply, json.dumps(self.outcome(task)).encode()
        accepted = {"success": True, "task_id": task.id, "trace_id": uuid.uuid4().hex}
        return behaviour.reply, json.dumps(accepted).encode()

    def _task(
        self, call: ReceivedCall, payload: dict[str, Any], behaviour: Behaviour
    ) -> tuple[Task, bool]:
        key = call.headers.get("idempotency-key", "") if self._honours_idempotency else ""
        with self._lock:
            if key in self._by_key:
                return self._by_key[key], False
            task = Task(id=str(uuid.uuid4()), request=payload, behaviour=behaviour)
            self.tasks[task.id] = task
            if key:
                self._by_key[key] = task
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        return task, True

    def tasks_call(self, call: ReceivedCall) -> tuple[Reply, bytes]:
        reply = self.asked.pop(0) if self.asked else Reply()
        if self.tasks_are == "no_api":
            return Reply(status=404), _error("no_api", "There is no such path.")
        if self.tasks_are == "api_not_implemented":
            return Reply(status=400), _error("api_not_implemented", "Not offered.")
        if self.tasks_are == "method_not_allowed":
            return Reply(status=405), b""
        payload = _read(call.body)
        task = self.tasks.get(str(payload.get("id", payload.get("task_id"))))
        if task is None or task.behaviour.is_forgotten:
            return _unless_given(reply, 404), _error("not_found", "There is no such task.")
        return reply, json.dumps(self._task_body(task)).encode()

    def _task_body(self, task: Task) -> dict[str, Any]:
        """Return a task as ``/face/tasks`` shows it."""
        shown = {
            "id": task.id,
            "type": "face_swap",
            "created_at": task.created_at,
            "trace_id": uuid.uuid4().hex,
            "request": task.request,
        }
        if task.finished_at is None:
            return shown | {"status": "processing"}
        return shown | {
            "started_at": task.created_at,
            "finished_at": task.finished_at,
            "elapsed": task.finished_at - task.created_at,
            "response": self.outcome(task),
        }

    def outcome(self, task: Task) -> dict[str, Any]:
        """Return the body of a callback, and of a synchronous response."""
        named = {"task_id": task.id, "trace_id": "0123456789"}
        if task.has_failed:
            error = {} if task.error is ... else {"error": task.error}
            return {"success": False, **named, **error}
        return {
            "success": True,
            **named,
            "image_url": task.behaviour.result_url or f"{self.url}/results/{task.id}.jpg",
            "image_width": str(task.size[0]),  # as the reference does at times
            "image_height": task.size[1],
            "image_size": len(task.result),
        }

    # --- its work -------------------------------------------------------------------------

    def _begin(self, task: Task) -> None:
        if task.behaviour.is_callback_first:
            self._work(task)
        else:
            thread = threading.Thread(target=self._work, args=(task,))
            self._working.append(thread)
            thread.start()

    def _work(self, task: Task) -> None:
        behaviour = task.behaviour
        self.is_over.wait(behaviour.works_for)
        task.has_failed, task.error = behaviour.fails, behaviour.error
        if not task.has_failed:
            self._make(task)
        with self._lock:
            self._at_once -= 1
        task.finished_at = time.time()
        task.is_done.set()
        if behaviour.is_synchronous or not task.request.get("callback_url"):
            return
        self.is_over.wait(behaviour.callback_after)
        for _ in range(behaviour.callbacks):
            if not self.is_over.is_set():
                self._post(task)

    def _make(self, task: Task) -> None:
        try:
            with self._drawing:
                picture = self._picture(task)
        except (requests.RequestException, OSError) as error:
            task.has_failed = True
            task.error = {"code": "bad_request", "message": f"Not fetched: {type(error).__name__}"}
            return
        task.size = picture.size
        task.result = task.behaviour.result or jpeg(picture)

    def _picture(self, task: Task) -> Image.Image:
        if not self._fetches:
            return Image.new("RGB", task.behaviour.size or (400, 300), "olive")
        source, target = (
            Image.open(io.BytesIO(_get(task.request[f"{name}_image_url"]))).convert("RGB")
            for name in ("source", "target")
        )
        return mixed(source, target.resize(task.behaviour.size) if task.behaviour.size else target)

    def _callback(self, task: Task) -> bytes:
        other = task.behaviour.callback_task_id
        if not other:
            return json.dumps(self.outcome(task)).encode()
        if other in self.tasks:  # and its picture
            return json.dumps(self.outcome(self.tasks[other])).encode()
        return json.dumps(self.outcome(task) | {"task_id": other}).encode()

    def _post(self, task: Task) -> Posted:
        body = task.behaviour.callback_body
        try:
            answer = requests.post(
                task.request["callback_url"],
                data=self._callback(task) if body is None else body,
                headers={"content-type": "application/json"},
                timeout=SECONDS,
                allow_redirects=False,
            )
            posted = Posted(task_id=task.id, status=answer.status_code)
        except requests.RequestException as error:
            posted = Posted(task_id=task.id, status=None, problem=type(error).__name__)
        self.posted.append(posted)
        return posted

    # --- its connections ------------------------------------------------------------------

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self._connections.append(connection)
        return connection, address

    def connection_number(self, connection: socket.socket) -> int:
        return self._connections.index(connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore errors of a connection: the other side has gone."""

    def stop(self) -> None:
        self.is_over.set()
        self.shutdown()
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._working:
            thread.join()


class Handler(BaseHTTPRequestHandler):
    server: Provider
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        call = self.server.record_call(
            self.path, headers, body, self.server.connection_number(self.connection)
        )
        if headers.get("authorization") != f"Bearer {self.server.key}":
            self.answer(Reply(status=401), _error("invalid_token", "The key is wrong."))
        elif self.path == "/face/swap":
            self.answer(*self.server.swap(call))
        elif self.path == "/face/tasks":
            self.answer(*self.server.tasks_call(call))
        else:
            self.answer(Reply(status=404), _error("no_api", "There is no such path."))

    def do_GET(self) -> None:
        kind, _, name = self.path.partition("?")[0].removeprefix("/").partition("/")
        task = self.server.tasks.get(name.removesuffix(".jpg"))
        if kind == "pictures" and name in self.server.pictures:
            self.answer(Reply(), self.server.pictures[name])
        elif kind == "results" and task:
            self.answer(self._of_result(task), task.result)
        else:
            self.answer(Reply(status=404), b"")

    def _of_result(self, task: Task) -> Reply:
        behaviour, number = task.behaviour, task.fetched
        task.fetched += 1
        if number < len(behaviour.result_statuses):
            return Reply(status=behaviour.result_statuses[number], body=b"")
        if number < len(behaviour.result_statuses) + behaviour.result_redirects:
            return Reply(status=302, body=b"", headers={"Location": self.path})
        return Reply(after=behaviour.result_after, headers={"Content-Type": "image/jpeg"})

    def answer(self, reply: Reply, body: bytes) -> None:
        body = body if reply.body is None else reply.body
        headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        lines = [f"HTTP/1.1 {reply.status} Said"]
        lines += [f"{name}: {value}" for name, value in {**headers, **reply.headers}.items()]
        response = "\r\n".join([*lines, "", ""]).encode("latin-1") + body
        self.server.is_over.wait(reply.after)
        with contextlib.suppress(OSError):
            self._send(response if reply.cut_at is None else response[: reply.cut_at], reply.drip)
        if reply.closes or reply.cut_at is not None:
            self.close_connection = True

    def _send(self, response: bytes, drip: float) -> None:
        if not drip:
            self.wfile.write(response)
            return
        for at in range(len(response)):
            if self.server.is_over.wait(drip):
                return
            self.wfile.write(response[at : at + 1])

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def running_provider(
    behaviour: Behaviour | Sequence[Behaviour] | Choose = Behaviour(),
    *,
    port: int = 0,
    fetches: bool = False,
    tasks_are: Offer = "offered",
    honours_idempotency: bool = True,
    asked: Sequence[Reply] = (),
) -> Iterator[Provider]:
    """Run a provider that behaves so: always, or in turn (and then well), or by a function.

    ``fetches``: it gets both pictures, and puts the source's thumbnail into the target's corner;
    see ``is_mixed_from``. ``asked``: its replies to the first calls of /face/tasks.
    """
    provider = Provider(
        _chooser(behaviour),
        port=port,
        fetches=fetches,
        tasks_are=tasks_are,
        honours_idempotency=honours_idempotency,
        asked=asked,
    )
    with provider:
        thread = threading.Thread(target=provider.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield provider
        finally:
            provider.stop()
            thread.join()


def _chooser(behaviour: Behaviour | Sequence[Behaviour] | Choose) -> Choose:
    if callable(behaviour):
        return behaviour
    if isinstance(behaviour, Behaviour):
        return lambda call: behaviour
    turns = list(behaviour)
    return lambda call: turns[call.number] if call.number < len(turns) else Behaviour()


def _unless_given(reply: Reply, status: int) -> Reply:
    return Reply(status=status) if reply == Reply() else reply


def _read(body: bytes) -> dict[str, Any]:
    try:
        payload = json.loads(body)
    except ValueError:
        return {}
    return payload if isinstance(payload, dict) else {}


def _error(code: str, message: str) -> bytes:
    return json.dumps(
        {"success": False, "error": {"code": code, "message": message}, "trace_id": "0123456789"}
    ).encode()


def _get(url: str) -> bytes:
    answer = requests.get(url, timeout=SECONDS)
    answer.raise_for_status()
    return answer.content


# --- Pictures -------------------------------------------------------------------------------------


def jpeg(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=92, subsampling=0)
    return out.getvalue()


def mixed(source: Image.Image, target: Image.Image) -> Image.Image:
    """Return the target with the source in its corner: whoever sees it can tell both."""
    result = target.copy()
    result.paste(source.resize(_corner(target.size)))
    return result


def is_mixed_from(result: bytes, source: bytes, target: bytes) -> bool:
    """Return True when a result is mixed from these two pictures and no others."""
    opened = [Image.open(io.BytesIO(data)).convert("RGB") for data in (result, source, target)]
    made, expected = opened[0], mixed(opened[1], opened[2])
    if made.size != expected.size:
        return False
    corner = (0, 0, *_corner(made.size))
    return _are_alike(made, expected) and _are_alike(made.crop(corner), expected.crop(corner))


def _corner(size: tuple[int, int]) -> tuple[int, int]:
    return max(1, size[0] // CORNER), max(1, size[1] // CORNER)


def _are_alike(one: Image.Image, other: Image.Image) -> bool:
    return max(ImageStat.Stat(ImageChops.difference(one, other)).mean) < 6
