"""Benchmark of the history page while a hundred API calls wait for their results."""

import contextlib
import os
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from bench._caller import samples, swap_call
from bench._load import Request, Response, percentiles, response_times, send
from bench.web import child_pids, command_line, rss_mb, signed_in_client

CALLS = 100
CARDS = 24
PAGES = 200
VISITORS = 2
TIMEOUT = 120


def measure(port: int, supervisor: int, token: str, database: Path) -> dict[str, object]:
    from tests.crash import worker_pid

    page = history(port)
    web = child_pids(next(pid for pid in child_pids(supervisor) if "gunicorn" in command_line(pid)))
    idle = response_times(page, PAGES, threads=VISITORS)
    figures = {**percentiles("history_idle", idle), **footprint("idle", web, database)}
    call = swap_call(port, token, samples(port), timeout=TIMEOUT)
    with ThreadPoolExecutor(CALLS) as pool:
        with paused_worker(worker_pid(), database):
            calls = [pool.submit(send, call) for _ in range(CALLS)]
            figures["waiting_calls"] = wait_for_all(calls)
            figures["waiting_connections"] = connections(port)
            figures |= percentiles("history_waiting", response_times(page, PAGES, threads=VISITORS))
            figures |= footprint("waiting", web, database)
            figures["waiting_calls_at_the_end"] = sum(not call.done() for call in calls)
        statuses = Counter(call.result().status for call in calls)
    return {**figures, "waiting_calls_answered": dict(statuses)}


def history(port: int) -> Request:
    """Create an account with ``CARDS`` finished swaps, and return the request for its history."""
    from swaps.models import Status, Swap, User

    viewer = User.objects.create_user("viewer@example.com")
    Swap.objects.bulk_create(
        Swap(
            owner=viewer,
            status=Status.SUCCEEDED,
            width=1000,
            height=1000,
            **{
                f"{kind}_key": f"bench/{number}/{kind}.jpg"
                for kind in ("source", "target", "result")
            },
        )
        for number in range(CARDS)
    )
    cookie = signed_in_client(viewer).cookies["sessionid"].value
    page = Request(port=port, path="/swaps/", headers={"Cookie": f"sessionid={cookie}"})
    assert send(page).body.count(b"<img") >= CARDS
    return page


def wait_for_all(calls: Sequence["Future[Response]"]) -> int:
    """Wait until every call has a swap.

    Return how many are unfinished and unanswered a second later.
    """
    from swaps.models import Door, Swap
    from tests.running import wait_until

    unfinished = Swap.objects.filter(door=Door.API).unfinished()
    assert wait_until(lambda: unfinished.count() == len(calls), 60), unfinished.count()
    time.sleep(1)
    return min(unfinished.count(), sum(not call.done() for call in calls))


@contextlib.contextmanager
def paused_worker(worker: int, database: Path) -> Iterator[None]:
    """Stop the worker (SIGSTOP) while the block runs, when it holds no database lock."""
    for _ in range(50):
        os.kill(worker, signal.SIGSTOP)
        if is_unlocked(database):
            break
        os.kill(worker, signal.SIGCONT)
        time.sleep(0.05)
    try:
        yield
    finally:
        os.kill(worker, signal.SIGCONT)


def is_unlocked(database: Path) -> bool:
    """Return whether nobody is writing to the database."""
    with contextlib.closing(sqlite3.connect(database, timeout=0.5)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        connection.execute("ROLLBACK")
        return True


def footprint(name: str, processes: Sequence[int], database: Path) -> dict[str, object]:
    """Return memory, threads and open database files of each web process."""
    return {
        f"web_rss_mb_{name}": [rss_mb(pid) for pid in processes],
        f"web_threads_{name}": [count_entries(pid, "task") for pid in processes],
        f"web_open_databases_{name}": [open_count(pid, database) for pid in processes],
    }


def count_entries(pid: int, folder: str) -> int:
    return len(list(Path(f"/proc/{pid}/{folder}").iterdir()))


def open_count(pid: int, file: Path) -> int:
    links = Path(f"/proc/{pid}/fd").iterdir()
    return sum(os.path.realpath(link) == str(file) for link in links)


def connections(port: int) -> int:
    """Return the number of established connections to a port."""
    lines = Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    rows = [line.split() for line in lines]
    return sum(row[1].endswith(f":{port:04X}") and row[3] == "01" for row in rows)
