"""Calls of the hosted provider's client, and providers that misbehave in every way."""

import gzip
import json
import socket
import struct

from pytest_django import Settings

from swaps.hosted import client
from swaps.providers.base import Accepted, Answered, ProviderError, RemoteRequest
from tests.net_servers import Behaviour as Misbehaviour
from tests.net_servers import Peer, answer, drips, says
from tests.provider_server import Behaviour, Provider, Reply

SHORT = 0.3  # seconds that a provider gets when it is meant to run out of them
SLACK = 20.0  # seconds after which it is certain that it was not cut short in time
REQUEST = RemoteRequest(
    source_image_url="https://site.example/source.jpg?signed=1",
    target_image_url="https://site.example/target.jpg?signed=2",
    callback_url="",
    idempotency_key="7d1c.1",
)
HTML = b"<!doctype html><title>Bad gateway</title>"


def submit(settings: Settings, to: Provider | str) -> Accepted | Answered:
    settings.FACESWAP_HOSTED_URL = to if isinstance(to, str) else to.url
    return client.submit(REQUEST)


def ask(settings: Settings, to: Provider | str, task_id: str = "a-task") -> Accepted | Answered:
    settings.FACESWAP_HOSTED_URL = to if isinstance(to, str) else to.url
    return client.get_task(task_id)


def replies(body: bytes | object, *, status: int = 200, retry_after: str = "") -> Behaviour:
    """Send a response without starting anything; what is not bytes is sent as JSON."""
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Retry-After": retry_after} if retry_after else {}
    return Behaviour(starts=False, reply=Reply(status=status, body=body, headers=headers))


def error(code: str, message: str = "No.") -> dict[str, object]:
    return {"success": False, "error": {"code": code, "message": message}}


def problem_of(raised: BaseException) -> str:
    """Return the problem that staff see."""
    trouble = raised if isinstance(raised, ProviderError) else raised.__cause__
    assert isinstance(trouble, ProviderError)
    return trouble.message


def resets(peer: Peer) -> None:
    """Read the request and close with an RST instead of a FIN."""
    connection = peer._connection
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def hangs(peer: Peer) -> None:
    peer.wait()


OK = b"HTTP/1.1 200 OK\r\n"
WHOLE = b'{"task_id": "a-task"}'
BOMB = gzip.compress(WHOLE + b" " * 20_000_000, 1)
MISBEHAVIOURS: dict[str, Misbehaviour] = {
    "hangs up": says(b""),
    "resets": resets,
    "hangs": hangs,
    "breaks off in the status": says(b"HTTP/1.1 20"),
    "breaks off in the head": says(OK + b"Content-Le"),
    "breaks off in the body": says(OK + b"Content-Length: 21\r\n\r\n" + WHOLE[:-1]),
    "breaks off in a chunk": says(OK + b"Transfer-Encoding: chunked\r\n\r\nff\r\n" + WHOLE),
    "sends broken chunks": says(OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + WHOLE),
    "drips its status": drips(b"HTTP/1.1 2", b"0"),
    "drips its head": drips(OK, b"A: b\r\n"),
    "drips its body": drips(OK + b"Content-Length: 1000\r\n\r\n", b" "),
    "drips without an end": drips(OK + b"\r\n" + WHOLE, b" "),
    "talks without an end": drips(OK + b"\r\n", b" " * 10_000, pause=0),
    "sends too long a body": says(answer(WHOLE + b" " * 70_000)),
    "sends too long a head": says(OK + b"A: " + b"b" * 70_000 + b"\r\n\r\n"),
    "sends too many headers": says(OK + b"A: b\r\n" * 200 + b"\r\n"),
    "is not HTTP": says(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "says it is packed": says(answer(WHOLE, head="Content-Encoding: gzip\r\n")),
    "unpacks to far more": says(answer(BOMB, head="Content-Encoding: gzip\r\n")),
    "is empty": says(answer()),
    "is no content": says(answer(status=204)),
    "is a page": says(answer(HTML)),
    "is half of it": says(answer(WHOLE[:-1])),
    "is not UTF-8": says(answer(WHOLE.replace(b"task", b"\xff"))),
    "is null": says(answer(b"null")),
    "is a list": says(answer(b'[{"task_id": "a-task"}]')),
    "is a success without a task": says(answer(b'{"success": true}')),
    "has an empty task_id": says(answer(b'{"task_id": ""}')),
    "has a number for a task_id": says(answer(b'{"task_id": 7}')),
    "has an endless task_id": says(answer(b'{"task_id": "%s"}' % (b"a" * 201))),
    "has NUL in its task_id": says(answer(b'{"task_id": "a\\u0000"}')),
    "has half a character in its task_id": says(answer(b'{"task_id": "\\ud800"}')),
    "is nested without an end": says(answer(b"[" * 60_000)),
    "is 504 without a task": says(answer(json.dumps(error("timeout")).encode(), status=504)),
    "is 504 of a gateway": says(answer(HTML, status=504)),
    "is 504 that breaks off": says(b"HTTP/1.1 504 Late\r\nContent-Length: 9\r\n\r\n{"),
    "is 524 of a gateway": says(answer(HTML, status=524)),
}
