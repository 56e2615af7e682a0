"""A hundred calls wait for their results: what do those who look at their history notice?"""

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
from bench._load import Answer, Request, ask, spread, times
from bench.web import children, command, rss_mb, signed_in

CALLS = 100
CARDS = 24
PAGES = 200
VISITORS = 2
TIMEOUT = 120


def measure(port: int, supervisor: int, token: str, database: Path) -> dict[str, object]:
    from tests.crash import worker_pid

    page = history(port)
    web = children(next(pid for pid in children(supervisor) if "gunicorn" in command(pid)))
    idle = times(page, PAGES, threads=VISITORS)
    figures = {**spread("history_idle", idle), **footprint("idle", web, database)}
    call = swap_call(port, token, samples(port), timeout=TIMEOUT)
    with ThreadPoolExecutor(CALLS) as pool:
        with resting(worker_pid(), database):
            calls = [pool.submit(ask, call) for _ in range(CALLS)]
            figures["waiting_calls"] = until_all_wait(calls)
            figures["waiting_connections"] = connections(port)
            figures |= spread("history_waiting", times(page, PAGES, threads=VISITORS))
            figures |= footprint("waiting", web, database)
            figures["waiting_calls_at_the_end"] = sum(not call.done() for call in calls)
        statuses = Counter(call.result().status for call in calls)
    return {**figures, "waiting_calls_answered": dict(statuses)}


def history(port: int) -> Request:
    """The page of somebody with so many cards, all with a picture."""
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
    cookie = signed_in(viewer).cookies["sessionid"].value
    page = Request(port=port, path="/swaps/", headers={"Cookie": f"sessionid={cookie}"})
    assert ask(page).body.count(b"<img") >= CARDS
    return page


def until_all_wait(calls: Sequence["Future[Answer]"]) -> int:
    """How many wait, a while after the last has asked: none answered, each with a swap."""
    from swaps.models import Door, Swap
    from tests.running import wait_until

    unfinished = Swap.objects.filter(door=Door.API).unfinished()
    assert wait_until(lambda: unfinished.count() == len(calls), 60), unfinished.count()
    time.sleep(1)
    return min(unfinished.count(), sum(not call.done() for call in calls))


@contextlib.contextmanager
def resting(worker: int, database: Path) -> Iterator[None]:
    """The worker's process is stopped, at a moment at which it does not hold the database."""
    for _ in range(50):
        os.kill(worker, signal.SIGSTOP)
        if is_free(database):
            break
        os.kill(worker, signal.SIGCONT)
        time.sleep(0.05)
    try:
        yield
    finally:
        os.kill(worker, signal.SIGCONT)


def is_free(database: Path) -> bool:
    with contextlib.closing(sqlite3.connect(database, timeout=0.5)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        connection.execute("ROLLBACK")
        return True


def footprint(name: str, processes: Sequence[int], database: Path) -> dict[str, object]:
    """Of each web process."""
    return {
        f"web_rss_mb_{name}": [rss_mb(pid) for pid in processes],
        f"web_threads_{name}": [entries(pid, "task") for pid in processes],
        f"web_open_databases_{name}": [times_open(pid, database) for pid in processes],
    }


def entries(pid: int, folder: str) -> int:
    return len(list(Path(f"/proc/{pid}/{folder}").iterdir()))


def times_open(pid: int, file: Path) -> int:
    links = Path(f"/proc/{pid}/fd").iterdir()
    return sum(os.path.realpath(link) == str(file) for link in links)


def connections(port: int) -> int:
    """Established ones, seen from the server's side."""
    lines = Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    rows = [line.split() for line in lines]
    return sum(row[1].endswith(f":{port:04X}") and row[3] == "01" for row in rows)
