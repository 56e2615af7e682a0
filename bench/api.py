"""Benchmark of the Face Swap API: overhead per call, the cost of waiting calls, throughput."""

import json
import os
import shutil
import statistics
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from bench import _setup
from bench._caller import ENVIRONMENT, swap_call, unlimited_account
from bench._load import Connection, percentiles
from bench._server import free_port, whole_site

if TYPE_CHECKING:
    from swaps.models import User

CALLS = 40
PHOTOS = ("face-woman-frontal.jpg", "face-man-frontal.jpg")


def main() -> None:
    figures: dict[str, object] = {"load_average_before": round(os.getloadavg()[0], 1)}
    figures |= measure_running_site()
    from bench import api_accepted

    for database in ("sqlite", "postgresql"):
        # Django is set up once in a process, for one database.
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
            figures |= process.submit(api_accepted.measure, database).result()
    _setup.report("api", figures)


def measure_running_site() -> dict[str, object]:
    port = free_port()
    environment = _setup.prepare(SITE_URL=f"http://127.0.0.1:{port}", **ENVIRONMENT)
    from bench import api_waiting

    owner, token = unlimited_account()
    database = Path(environment["FACESWAP_VAR"]) / "db.sqlite3"
    with whole_site(environment, port) as supervisor:
        figures = measure_overhead(port, owner, token)
        figures |= api_waiting.measure(port, supervisor, token, database)
    shutil.rmtree(environment["FACESWAP_VAR"], ignore_errors=True)
    return figures


def measure_overhead(port: int, owner: "User", token: str) -> dict[str, object]:
    """Measure synchronous calls one after the other: their time without the engine's own."""
    from swaps.models import Swap

    request = swap_call(port, token, [stored_url(owner, name) for name in PHOTOS])
    connection = Connection(port)
    connection.send(request)
    whole, engine = [], []
    for _ in range(CALLS):
        answer = connection.send(request)
        assert answer.status == 200, answer.body
        swap = Swap.objects.get(pk=json.loads(answer.body)["task_id"])
        assert swap.started_at
        assert swap.finished_at
        whole.append(answer.seconds)
        engine.append((swap.finished_at - swap.started_at).total_seconds())
    connection.close()
    overhead = [a - b for a, b in zip(whole, engine, strict=True)]
    return {
        "sync_calls": CALLS,
        "sync_call_p50_ms": round(1000 * statistics.median(whole), 1),
        "sync_engine_p50_ms": round(1000 * statistics.median(engine), 1),
        **percentiles("sync_overhead", overhead),
    }


def stored_url(owner: "User", name: str) -> str:
    """Store a photo, and return its presigned URL."""
    from swaps import storage
    from swaps.lifecycle.uploads import keep_upload
    from tests.crash import load

    upload = keep_upload(owner, load(_setup.ROOT / "tests" / "photos" / name, 1.0))
    return storage.presigned_url(upload.key, 3600)


if __name__ == "__main__":
    main()
