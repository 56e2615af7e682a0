"""A client of the benchmarks: connections that stay open, and little work between two calls."""

import http.client
import statistics
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Request:
    port: int
    path: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    body: bytes
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Load:
    """What came of asking from so many connections for so long."""

    statuses: Counter[int]
    seconds: float
    client_cpu_seconds: float

    @property
    def per_second(self) -> float:
        return self.statuses[200] / self.seconds

    @property
    def client_cpu_share(self) -> float:
        """Of one core. The client is a bottleneck when this comes near to 1."""
        return self.client_cpu_seconds / self.seconds


class Caller:
    """One connection that stays open."""

    def __init__(self, port: int, timeout: float = 300) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)

    def ask(self, request: Request) -> Answer:
        begun = time.perf_counter()
        headers = dict(request.headers)
        self._connection.request(request.method, request.path, request.body, headers)
        with self._connection.getresponse() as response:
            body = response.read()
        return Answer(status=response.status, body=body, seconds=time.perf_counter() - begun)

    def close(self) -> None:
        self._connection.close()


def ask(request: Request) -> Answer:
    """On a connection of its own."""
    caller = Caller(request.port)
    try:
        return caller.ask(request)
    finally:
        caller.close()


def press(request: Request, *, connections: int, seconds: float) -> Load:
    """The same request again and again, on each connection one after the other."""
    statuses: list[Counter[int]] = [Counter() for _ in range(connections)]
    begun, cpu_begun = time.perf_counter(), time.process_time()

    def keep_asking(seen: Counter[int]) -> None:
        caller = Caller(request.port)
        while time.perf_counter() < begun + seconds:
            seen[caller.ask(request).status] += 1
        caller.close()

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


def times(request: Request, count: int, *, threads: int) -> list[float]:
    """The seconds that each of so many successful answers took, asked for from a few threads."""
    found: list[float] = []

    def ask_share() -> None:
        caller = Caller(request.port)
        for _ in range(count // threads):
            answer = caller.ask(request)
            assert answer.status == 200, (answer.status, answer.body[:300])
            found.append(answer.seconds)
        caller.close()

    askers = [threading.Thread(target=ask_share) for _ in range(threads)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert len(found) == count, f"only {len(found)} of {count} were answered"
    return found


def spread(name: str, seconds: Sequence[float]) -> dict[str, object]:
    """Median, 95th percentile and maximum, in milliseconds."""
    milliseconds = [1000 * second for second in seconds]
    return {
        f"{name}_p50_ms": round(statistics.median(milliseconds), 1),
        f"{name}_p95_ms": round(statistics.quantiles(milliseconds, n=20)[-1], 1),
        f"{name}_max_ms": round(max(milliseconds), 1),
    }
