"""Benchmark of the history of an account with 10,000 swaps: milliseconds and queries of each view.

The time is that of the whole request through Django's test client (middleware, session and rendered
template included), the median of rounds in which all views take turns, on both databases; beside it
the CPU time of the web process, which says more on a busy machine. The baseline is the same page of
an account that has 24 swaps. The filters of a view were chosen before: what is chosen for the first
time is also remembered, by one more query.
"""

import datetime
import html
import logging
import re
import shutil
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING

from bench import _setup
from bench.api_accepted import own_database
from bench.web import signed_in_client

if TYPE_CHECKING:
    from django.test import Client

    from swaps.models import User

SWAPS = 10_000
DAYS = 600  # over which they were made
ROUNDS = 40
BASELINE = "page_of_24_swaps"
PAGES = {
    "all": "?state=",
    "working": "?state=working",
    "finished": "?state=finished",
    "failed": "?state=failed",
    "starred": "?starred=1",
    "from_batches": "?origin=batch",
    "month": "?month={month}",
    "search": "?q=lake",
    "search_beyond_ascii": "?q=%C3%A9lo%C3%AFse",
    "search_in_vain": "?q=nothing+like+that",
    "all_filters": "?q=lake&state=finished&starred=1&origin=api&month={month}",
    "all_filters_in_vain": "?q=nothing+like+that&state=failed&starred=1&origin=batch",
    "oldest_page": "?after={oldest}",
}
NAMES = ("", "", "", "Anna at the lake", "Éloïse", "Grandma’s 80th birthday")


def main() -> None:
    figures: dict[str, object] = {"swaps": SWAPS, "rounds": ROUNDS}
    for database in ("sqlite", "postgresql"):
        # Django is set up once in a process, for one database.
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
            figures |= process.submit(measure, database).result()
    _setup.report("library", figures)


def measure(database: str) -> dict[str, object]:
    with own_database(database) as url:
        if url is None:
            return {f"library_{database}": "SKIPPED: PostgreSQL (not reachable)"}
        environment = _setup.prepare(DATABASE_URL=url)
        try:
            return {f"{name}_{database}": value for name, value in _measure().items()}
        finally:
            from django.db import connection

            connection.close()
            shutil.rmtree(environment["FACESWAP_VAR"], ignore_errors=True)


def _measure() -> dict[str, object]:
    from django.db import connection

    from swaps.models import User

    logging.disable(logging.CRITICAL)
    few = User.objects.create_user("few@example.com", "a fine long pass phrase")
    many = User.objects.create_user("many@example.com", "a fine long pass phrase")
    fill(few, 24)
    oldest = fill(many, SWAPS)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    client = quick_client(many)
    words = {"month": f"{oldest:%Y-%m}", "oldest": "{}_{}".format(*cursor_near(many))}
    views = {f"page_{name}": (client, f"/swaps/{q.format(**words)}") for name, q in PAGES.items()}
    page = client.get("/swaps/").content.decode()
    poll = re.search(r'hx-get="(/swaps/arrivals/[^"]+)"', page)
    assert poll
    views["poll_for_new"] = (client, html.unescape(poll[1]))
    views[BASELINE] = (quick_client(few), "/swaps/?state=")
    queries = {name: queries_of(*view) for name, view in views.items()}
    spent = in_turns(views)
    slowest = max(ms for ms, _ in spent.values())
    return {
        "queries_at_most": max(queries.values()),
        "queries_of_the_poll": queries["poll_for_new"],
        **{f"{name}_ms_and_cpu": f"{ms} {cpu}" for name, (ms, cpu) in spent.items()},
        "slowest_ms": slowest,
        "slowest_cpu_ms": max(cpu for _, cpu in spent.values()),
        "slowest_to_baseline": round(slowest / spent[BASELINE][0], 2),
    }


def fill(owner: "User", count: int) -> datetime.datetime:
    """Give the account swaps of all kinds, and return when the oldest was made."""
    from django.utils import timezone

    from swaps.models import Batch, Door, Status, Swap, User

    batch = Batch.objects.create(owner=owner)
    now = timezone.now()
    step = datetime.timedelta(days=DAYS) / count
    Swap.objects.bulk_create(
        (
            Swap(
                owner=owner,
                status=Status.FAILED if number % 50 == 7 else Status.SUCCEEDED,
                door=Door.API if number % 3 == 0 else Door.BROWSER,
                request={"source_image_url": "https://example.com/face.jpg"},
                batch=batch if number % 100 == 1 else None,
                name=NAMES[number % len(NAMES)],
                is_starred=number % 15 == 0,
                source_key=f"swaps/{number}/source.jpg",
                target_key=f"swaps/{number}/target.jpg",
                result_key=f"swaps/{number}/result.jpg",
                created_at=now - number * step,
                finished_at=now - number * step,
            )
            for number in range(count)
        ),
        batch_size=1000,
    )
    newest = Swap.objects.filter(owner=owner).newest_first()[:2]
    unfinished = {"status": Status.QUEUED, "finished_at": None}
    Swap.objects.filter(pk__in=[swap.pk for swap in newest]).update(**unfinished)
    oldest = now - (count - 1) * step
    User.objects.filter(pk=owner.pk).update(date_joined=oldest)
    return oldest


def cursor_near(owner: "User") -> tuple[str, str]:
    """Return the cursor of the page that is the last but one."""
    from swaps.models import Swap

    swap = Swap.objects.filter(owner=owner).order_by("created_at", "id")[30]
    return swap.created_at.isoformat().replace("+", "%2B"), str(swap.pk)


def quick_client(owner: "User") -> "Client":
    """Return a client of the site as it runs; when set up for tests it copies all contexts."""
    client = signed_in_client(owner)
    client.defaults["SERVER_NAME"] = "127.0.0.1"
    return client


def queries_of(client: "Client", url: str) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client.get(url)  # what is chosen for the first time is remembered
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(url)
    assert answer.status_code in {200, 204}, (url, answer.status_code)
    return len(queries)


def in_turns(views: dict[str, tuple["Client", str]]) -> dict[str, tuple[float, float]]:
    """Return the median milliseconds of each view, and of its CPU time.

    All take turns, so that they meet the same machine.
    """
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in views}
    for number in range(ROUNDS + 5):
        for name, (client, url) in views.items():
            if name.startswith("page_") and "after=" not in url:
                client.get(url)  # what is chosen now is remembered
            begun, cpu_begun = time.perf_counter(), time.process_time()
            client.get(url)
            if number >= 5:  # warm
                cpu = time.process_time() - cpu_begun
                spent[name].append((time.perf_counter() - begun, cpu))
    return {
        name: tuple(round(1000 * statistics.median(each), 1) for each in zip(*times, strict=True))
        for name, times in spent.items()
    }


if __name__ == "__main__":
    main()
