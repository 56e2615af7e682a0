"""Benchmark of asynchronous calls per second, beside a bare Django view that inserts one row.

Only gunicorn runs, with the site's own configuration. There is no worker and no courier, so
accepted swaps stay in the queue.
"""

import contextlib
import os
import shutil
import statistics
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from bench import _setup
from bench._caller import ENVIRONMENT, samples, swap_call, unlimited_account
from bench._load import Load, Request, run_load
from bench._server import free_port, web_server

POSTGRESQL = "postgres://postgres@127.0.0.1:5432/postgres"
BARE = "bare_insert"
CONNECTIONS = 12
SECONDS = 4.0
ROUNDS = 3
ASYNC: Mapping[str, object] = {"async": True}  # a keyword of Python, so no argument name
STRANGERS = ("https://example.com/face.jpg", "https://example.com/photo.jpg")


def measure(database: str) -> dict[str, object]:
    with own_database(database) as url:
        if url is None:
            return {f"accepted_{database}": "SKIPPED: PostgreSQL (not reachable)"}
        environment = _setup.prepare(DATABASE_URL=url, **ENVIRONMENT)
        try:
            return {f"{name}_{database}": value for name, value in _measure(environment).items()}
        finally:
            from django.db import connection

            connection.close()
            shutil.rmtree(environment["FACESWAP_VAR"], ignore_errors=True)


def _measure(environment: Mapping[str, str]) -> dict[str, object]:
    from swaps.models import Door, Swap

    owner, token = unlimited_account()
    port, bare_port = free_port(), free_port()
    site = {**environment, "SITE_URL": f"http://127.0.0.1:{port}"}
    bare_site = {**environment, "DJANGO_SETTINGS_MODULE": "bench.bare_settings"}
    requests = {
        BARE: Request(port=bare_port, path=f"/insert/{owner.pk}", method="POST"),
        "accepted_to_fetch": swap_call(port, token, STRANGERS, **ASYNC),
        "accepted_samples": swap_call(port, token, samples(port), **ASYNC),
    }
    loads: dict[str, list[Load]] = {name: [] for name in requests}
    with web_server(site, port), web_server(bare_site, bare_port):
        for _ in range(ROUNDS + 1):  # the first one warms up
            for name, request in requests.items():
                loads[name].append(run_load(request, connections=CONNECTIONS, seconds=SECONDS))
    answered = sum(load.statuses[200] for name in requests if name != BARE for load in loads[name])
    assert Swap.objects.filter(owner=owner, door=Door.API).count() == answered
    return figures_of({name: found[1:] for name, found in loads.items()})


def figures_of(loads: Mapping[str, list[Load]]) -> dict[str, object]:
    """Return the medians of the rounds, and their ratio to the bare view."""
    rates = {name: statistics.median(load.per_second for load in of) for name, of in loads.items()}
    bare = rates[BARE]
    refused = sum(
        load.statuses.total() - load.statuses[200] for of in loads.values() for load in of
    )
    client = max(load.client_cpu_share for of in loads.values() for load in of)
    return {
        **{f"{name}_per_s": round(rate, 1) for name, rate in rates.items()},
        **{f"{name}_ratio": round(rates[name] / bare, 2) for name in rates if name != BARE},
        "not_answered_with_200": refused,
        "client_cores_used_at_most": round(client, 2),
    }


@contextlib.contextmanager
def own_database(kind: str) -> Iterator[str | None]:
    """Yield the URL of a new database: "" for SQLite, None when PostgreSQL cannot be reached."""
    if kind == "sqlite":
        yield ""
        return
    import psycopg

    server_url = os.environ.get("TEST_DATABASE_URL", POSTGRESQL)
    name = f"faceswap_bench_{os.getpid()}"
    try:
        server = psycopg.connect(server_url, autocommit=True, connect_timeout=3)
    except psycopg.OperationalError:
        yield None
        return
    with server:
        server.execute(f"CREATE DATABASE {name}".encode())
        try:
            yield urlsplit(server_url)._replace(path=f"/{name}").geturl()
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
