"""An HTTP client for load tests: connections that stay open, and little work between requests."""

import http.client
import statistics
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request to a server on this machine."""

    port: int
    path: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


@dataclass(frozen=True, kw_only=True)
class Response:
    """A response, and how long it took."""

    status: int
    body: bytes
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Load:
    """The result of a load test."""

    statuses: Counter[int]
    seconds: float
    client_cpu_seconds: float

    @property
    def per_second(self) -> float:
        """The number of responses per second that had status 200."""
        return self.statuses[200] / self.seconds

    @property
    def client_cpu_share(self) -> float:
        """The share of one core that the client used; near 1 the client is the bottleneck."""
        return self.client_cpu_seconds / self.seconds


class Connection:
    """A connection that stays open between requests."""

    def __init__(self, port: int, timeout: float = 300) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)

    def send(self, request: Request) -> Response:
        begun = time.perf_counter()
        headers = dict(request.headers)
        self._connection.request(request.method, request.path, request.body, headers)
        with self._connection.getresponse() as response:
            body = response.read()
        return Response(status=response.status, body=body, seconds=time.perf_counter() - begun)

    def close(self) -> None:
        self._connection.close()


def send(request: Request) -> Response:
    """Send a request over a new connection."""
    connection = Connection(request.port)
    try:
        return connection.send(request)
    finally:
        connection.close()


def run_load(request: Request, *, connections: int, seconds: float) -> Load:
    """Repeat a request for some seconds over several connections at once."""
    statuses: list[Counter[int]] = [Counter() for _ in range(connections)]
    begun, cpu_begun = time.perf_counter(), time.process_time()

    def keep_asking(seen: Counter[int]) -> None:
        connection = Connection(request.port)
        while time.perf_counter() < begun + seconds:
            seen[connection.send(request).status] += 1
        connection.close()

    threads = [threading.Thread(target=keep_asking, args=(seen,)) for seen in statuses]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Load(
        statuses=sum(statuses, Counter()),
        seconds=time.perf_counter() - begun,
        client_cpu_seconds=time.process_time() - cpu_begun,
    )


def response_times(request: Request, count: int, *, threads: int) -> list[float]:
    """Send a request ``count`` times from several threads; return the seconds that each took."""
    found: list[float] = []

    def ask_share() -> None:
        connection = Connection(request.port)
        for _ in range(count // threads):
            answer = connection.send(request)
            assert answer.status == 200, (answer.status, answer.body[:300])
            found.append(answer.seconds)
        connection.close()

    askers = [threading.Thread(target=ask_share) for _ in range(threads)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert len(found) == count, f"only {len(found)} of {count} were answered"
    return found


def percentiles(name: str, seconds: Sequence[float]) -> dict[str, object]:
    """Return median, 95th percentile and maximum, in milliseconds."""
    milliseconds = [1000 * second for second in seconds]
    return {
        f"{name}_p50_ms": round(statistics.median(milliseconds), 1),
        f"{name}_p95_ms": round(statistics.quantiles(milliseconds, n=20)[-1], 1),
        f"{name}_max_ms": round(max(milliseconds), 1),
    }
