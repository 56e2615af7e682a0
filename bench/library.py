"""Benchmark of the history of an account with 10,000 swaps: milliseconds and queries of each view.

The time is that of the whole request through Django's test client, middleware, session and the
rendered template included, on both databases. The baseline is the same page of an account that has
24 swaps, asked for in turns with the others. Filters were chosen before: what is chosen for the
first time is also remembered, by one more query.
"""

import datetime
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
    "all": "",
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
    from django.test.utils import setup_test_environment

    from swaps.models import User

    setup_test_environment()
    few = User.objects.create_user("few@example.com", "a fine long pass phrase")
    many = User.objects.create_user("many@example.com", "a fine long pass phrase")
    fill(few, 24)
    oldest = fill(many, SWAPS)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    client = signed_in_client(many)
    words = {"month": f"{oldest:%Y-%m}", "oldest": "{}_{}".format(*cursor_near(many))}
    views = {f"page_{name}": (client, f"/swaps/{q.format(**words)}") for name, q in PAGES.items()}
    views["poll_for_new"] = (client, client.get("/swaps/").context["arrivals_url"])
    views[BASELINE] = (signed_in_client(few), "/swaps/")
    queries = {name: queries_of(*view) for name, view in views.items()}
    seconds = in_turns(views)
    return {
        "queries_at_most": max(queries.values()),
        "queries_of_the_poll": queries["poll_for_new"],
        **{f"{name}_ms": round(1000 * median, 1) for name, median in seconds.items()},
        "slowest_ms": round(1000 * max(seconds.values()), 1),
        "slowest_to_baseline": round(max(seconds.values()) / seconds[BASELINE], 2),
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
                is_starred=number % 20 == 0,
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


def queries_of(client: "Client", url: str) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client.get(url)  # what is chosen for the first time is remembered
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(url)
    assert answer.status_code in {200, 204}, (url, answer.status_code)
    return len(queries)


def in_turns(views: dict[str, tuple["Client", str]]) -> dict[str, float]:
    """Return the median seconds of each view, all in turns, so that they meet the same machine."""
    seconds: dict[str, list[float]] = {name: [] for name in views}
    for number in range(ROUNDS + 5):
        for name, (client, url) in views.items():
            if "?" in url and "after=" not in url and "arrivals" not in url:
                client.get(url)  # chosen
            begun = time.perf_counter()
            client.get(url)
            if number >= 5:  # warm
                seconds[name].append(time.perf_counter() - begun)
    return {name: statistics.median(each) for name, each in seconds.items()}


if __name__ == "__main__":
    main()
