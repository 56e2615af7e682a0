"""Runs real processes of the site that work on the test's own database."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping

from django.db import connection

from tests.paths import ROOT

# As long as anything may take on a machine that is busy with something else.
MAX_WAIT_SECONDS = 60
WORKER_WITHOUT_ENGINE = """
import sys, types
embedded = types.ModuleType("swaps.providers.embedded")
embedded.warm_up = lambda: None
sys.modules["swaps.providers.embedded"] = embedded
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", "worker"])
"""


def database_url() -> str:
    """Return the test database as a URL for other processes."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    user = f"{database['USER']}:{database['PASSWORD']}".rstrip(":")
    place = f"{database['HOST']}:{database['PORT']}".rstrip(":")
    return f"postgres://{user}@{place}/{database['NAME']}"


@contextlib.contextmanager
def running(
    *arguments: str, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """Run ``python <arguments>`` with the test's settings and database; kill it at the end.

    ``environment`` replaces the settings and the database.
    """
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment
        or {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "faceswap_site.settings",
            "DATABASE_URL": database_url(),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_until(condition: Callable[[], bool], seconds: float = MAX_WAIT_SECONDS) -> bool:
    """Wait for a condition; return False when it has not come true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
    return port
