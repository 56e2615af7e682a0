"""Benchmark of the view for a provider's callbacks, beside a bare view that updates one row.

Both run under gunicorn with the site's configuration. Each callback is the first of its swap: it is
checked, recorded and enqueued. There is no courier, so the tasks stay in the queue.
"""

import json
import shutil
import statistics
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from typing import TYPE_CHECKING

from bench import _setup
from bench._load import Connection, Request
from bench._server import free_port, web_server
from bench.api_accepted import own_database

if TYPE_CHECKING:
    from swaps.models import Swap, User

CONNECTIONS = 4
ROUNDS = 5
IN_A_ROUND = 1200
BARE, OURS, AGAIN = "bare_update", "callback", "callback_repeated"


@dataclass(frozen=True, kw_only=True)
class Round:
    """The responses of one round."""

    statuses: Counter[int]
    seconds: float
    each: list[float]


def main() -> None:
    figures: dict[str, object] = {"connections": CONNECTIONS, "rounds": ROUNDS}
    for database in ("sqlite", "postgresql"):
        # Django is set up once in a process, for one database.
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
            figures |= process.submit(measure, database).result()
    _setup.report("callbacks", figures)


def measure(database: str) -> dict[str, object]:
    with own_database(database) as url:
        if url is None:
            return {f"callbacks_{database}": "SKIPPED: PostgreSQL (not reachable)"}
        environment = _setup.prepare(DATABASE_URL=url)
        try:
            return {f"{name}_{database}": value for name, value in _measure(environment).items()}
        finally:
            from django.db import connection

            connection.close()
            shutil.rmtree(environment["FACESWAP_VAR"], ignore_errors=True)


def _measure(environment: Mapping[str, str]) -> dict[str, object]:
    from swaps.models import Upload, User

    owner = User.objects.create_user("bench@example.com", "a fine long pass phrase")
    upload = Upload.objects.create(owner=owner, key="bench/photo.jpg")
    port, bare_port = free_port(), free_port()
    bare = {**environment, "DJANGO_SETTINGS_MODULE": "bench.bare_settings"}
    bare_request = Request(
        port=bare_port, path=f"/update/{upload.pk}", method="POST", body=body_of("x" * 36)
    )
    rounds: dict[str, list[Round]] = {BARE: [], OURS: [], AGAIN: []}
    site = {**environment, "SITE_URL": f"http://127.0.0.1:{port}"}
    with web_server(site, port), web_server(bare, bare_port):
        for _ in range(ROUNDS + 1):  # the first one warms up
            callbacks = [callback_of(swap, port) for swap in waiting_swaps(owner)]
            rounds[BARE].append(send_all([bare_request] * IN_A_ROUND))
            rounds[OURS].append(send_all(callbacks))
            rounds[AGAIN].append(send_all(callbacks))
    return figures_of({name: found[1:] for name, found in rounds.items()})


def waiting_swaps(owner: "User") -> "list[Swap]":
    from django.utils import timezone

    from swaps.models import Provider, Stage, Status, Submission, Swap

    swaps = [
        Swap(owner=owner, provider=Provider.HOSTED, status=Status.PROCESSING)
        for _ in range(IN_A_ROUND)
    ]
    Swap.objects.bulk_create(swaps)
    now = timezone.now()
    Submission.objects.bulk_create(
        Submission(
            swap=swap,
            stage=Stage.SENT,
            task_id=f"task-{swap.pk}",
            sends=1,
            sent_at=now,
            accepted_at=now,
            due_at=now,
        )
        for swap in swaps
    )
    return swaps


def callback_of(swap: "Swap", port: int) -> Request:
    from urllib.parse import urlsplit

    from swaps import links

    return Request(
        port=port,
        path=urlsplit(links.callback_url(swap.pk)).path,
        method="POST",
        body=body_of(f"task-{swap.pk}"),
    )


def body_of(task_id: str) -> bytes:
    return json.dumps(
        {
            "success": True,
            "task_id": task_id,
            "trace_id": "0123456789abcdef0123456789abcdef",
            "image_url": f"https://results.example.org/{task_id}.jpg?signature=0123456789abcdef",
            "image_width": 2008,
            "image_height": 1942,
            "image_size": 4006213,
        }
    ).encode()


def send_all(requests: Sequence[Request]) -> Round:
    """Send each request once, over ``CONNECTIONS`` connections that stay open."""
    left = iter(requests)
    lock = threading.Lock()
    statuses: Counter[int] = Counter()
    each: list[float] = []

    def send_share() -> None:
        connection = Connection(requests[0].port)
        while True:
            with lock:
                mine = list(islice(left, 1))
            if not mine:
                break
            answer = connection.send(mine[0])
            each.append(answer.seconds)
            with lock:
                statuses[answer.status] += 1
        connection.close()

    threads = [threading.Thread(target=send_share) for _ in range(CONNECTIONS)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Round(statuses=statuses, seconds=time.perf_counter() - begun, each=each)


def figures_of(rounds: Mapping[str, list[Round]]) -> dict[str, object]:
    figures: dict[str, object] = {}
    rates = {}
    for name, found in rounds.items():
        each = [1000 * seconds for one in found for seconds in one.each]
        cuts = statistics.quantiles(each, n=100)
        rates[name] = statistics.median(len(one.each) / one.seconds for one in found)
        figures |= {
            f"{name}_per_s": round(rates[name]),
            f"{name}_p50_ms": round(cuts[49], 2),
            f"{name}_p99_ms": round(cuts[98], 2),
            f"{name}_max_ms": round(max(each), 1),
            f"{name}_statuses": dict(sum((one.statuses for one in found), Counter())),
        }
    for name in (OURS, AGAIN):
        figures[f"{name}_ratio"] = round(rates[name] / rates[BARE], 2)
    return figures


if __name__ == "__main__":
    main()
