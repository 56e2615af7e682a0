"""HTTP transport to the provider: one call over a kept connection, without redirects or retries.

It uses the adapter of ``requests`` without its session: that reads the body of a redirect, however
long, and takes proxies, passwords and cookies from wherever they lie. The adapter below also
records whether anything was sent, as its errors do not tell.
"""

import json
import threading
from dataclasses import dataclass
from functools import cache
from http.client import HTTPException
from typing import Any, Final

import requests
from django.conf import settings
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    LocationValueError,
    NameResolutionError,
    NewConnectionError,
    ReadTimeoutError,
    SSLError,
)

from swaps.messages import Message
from swaps.net.body import read_body
from swaps.net.deadline import Deadline
from swaps.net.errors import NetError, NotReached, TooLarge
from swaps.net.tls import tls_context
from swaps.providers.base import ResponseLost, RetryLater

CONNECT_SECONDS: Final = 5.0
MAX_ANSWER_BYTES: Final = 65_536
MAX_THREADS: Final = 12  # of the courier, and so of connections
# The gateway gave up waiting; what it waited for may go on.
GATEWAY_TIMEOUTS: Final = frozenset({504, 524})


@dataclass(frozen=True, kw_only=True)
class ProviderResponse:
    """The provider's response. ``retry_after`` is the header as it came."""

    status: int
    retry_after: str  # the header, as it came
    body: bytes

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


def post(path: str, payload: dict[str, Any], *, idempotency_key: str = "") -> ProviderResponse:
    """Post JSON to the provider. Any status is returned, a redirect too.

    Raises RetryLater when nothing was sent, and ResponseLost when something was.
    """
    if not settings.FACESWAP_HOSTED_KEY:  # taken away while swaps wait: nothing is told to anybody
        raise RetryLater("provider.no_key")
    seconds = settings.FACESWAP_HOSTED_TIMEOUT_SECONDS
    headers: dict[str, Any] = {
        # Bytes: any key can be written so, and one that HTTP does not allow is refused there.
        "Authorization": b"Bearer " + settings.FACESWAP_HOSTED_KEY.encode(),
        "Content-Type": "application/json",
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "User-Agent": "faceswap-site",
    }
    if idempotency_key:
        headers["Idempotency-Key"] = idempotency_key
    with Deadline(2 * seconds) as deadline:
        _current.deadline, _current.is_sent = deadline, False
        try:
            if not settings.FACESWAP_HOSTED_URL.startswith(("http://", "https://")):
                raise LocationValueError
            request = requests.Request(
                "POST",
                settings.FACESWAP_HOSTED_URL + path,
                headers=headers,
                data=json.dumps(payload).encode(),
            )
            response = _adapter().send(
                request.prepare(), stream=True, timeout=(min(CONNECT_SECONDS, seconds), seconds)
            )
            return _read(response, deadline)
        except (NetError, OSError, HTTPError, HTTPException, ValueError) as error:
            problem = _problem_text(error, deadline)
    # Outside of the except: a library's error, which may quote the key, is not its context.
    kind = ResponseLost if _current.is_sent else RetryLater
    raise kind.explained(problem)


def _read(response: requests.Response, deadline: Deadline) -> ProviderResponse:
    """Read the response; a refusal stays a refusal, however its body ends."""
    try:
        # Nothing packed was asked for: some name a charset there, or say "none".
        body = read_body(response.raw, MAX_ANSWER_BYTES, deadline, is_lenient=True)
    except (NetError, OSError, HTTPError, HTTPException, ValueError):
        response.raw.close()
        if 200 <= response.status_code < 300 or response.status_code in GATEWAY_TIMEOUTS:
            raise
        body = b""
    else:
        response.raw.release_conn()
    return ProviderResponse(
        status=response.status_code,
        retry_after=response.headers.get("Retry-After", ""),
        body=body,
    )


def _problem_text(error: Exception, deadline: Deadline) -> Message:
    """Return the error in words of ours: what the libraries say may quote what was sent."""
    error = _root_cause(error)
    if deadline.is_over or isinstance(error, NotReached):
        return {"code": "provider.late", "seconds": deadline.seconds}
    if isinstance(error, NewConnectionError) and isinstance(
        error.__cause__, ConnectionRefusedError
    ):
        return {"code": "provider.refused"}
    if isinstance(error, TooLarge):
        return {"code": "provider.too_long", "limit": MAX_ANSWER_BYTES}
    for kind, code in _PROBLEMS:
        if isinstance(error, kind):
            return {"code": code}
    return {"code": "provider.broke_off", "error": type(error).__name__}


def _root_cause(error: Exception) -> Exception:
    """Return the root cause: ``requests`` wraps what urllib3 raised, which may wrap the reason."""
    inner = error.args[0] if isinstance(error, requests.RequestException) and error.args else None
    root = getattr(inner, "reason", inner)
    return root if isinstance(root, Exception) else error


# The first that fits: some are kinds of later ones.
_PROBLEMS: Final[tuple[tuple[type[Exception], str], ...]] = (
    (NameResolutionError, "provider.not_found"),
    (NewConnectionError, "provider.no_way"),
    (ConnectTimeoutError, "provider.no_connection"),
    (ReadTimeoutError, "provider.silent"),
    (SSLError, "provider.no_tls"),
    (LocationValueError, "provider.no_address"),
    (requests.exceptions.InvalidURL, "provider.no_address"),
    (ValueError, "provider.not_http"),
)


# --- Connections ----------------------------------------------------------------------------------


class _CurrentCall(threading.local):
    """The call that this thread is making."""

    deadline: Deadline
    is_sent = False


_current = _CurrentCall()


class _Http(HTTPConnection):
    def _new_conn(self) -> Any:
        connected = super()._new_conn()
        _current.deadline.watch(connected)
        return connected

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()  # whatever breaks in here, the provider has seen nothing
        if not _current.is_sent:
            _current.deadline.watch(self.sock)  # one of the pool's
            _current.is_sent = True
        super().send(data)


class _Https(_Http, HTTPSConnection):
    pass


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _Http


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _Https


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, connections: int, maxsize: int, **options: Any) -> None:  # type: ignore[override]
        self.poolmanager = PoolManager(
            num_pools=connections, maxsize=maxsize, ssl_context=tls_context(), **options
        )
        self.poolmanager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}


@cache
def _adapter() -> _Adapter:
    """Return the adapter of this process, with its connections; cached."""
    return _Adapter(pool_maxsize=MAX_THREADS, max_retries=0)
