"""The real site under test: its own folder, port and database, started as its users start it."""

import contextlib
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from tests import evidence
from tests.paths import ROOT
from tests.running import free_port
from tests.shell import Shell

# Generous: a machine that is busy with something else is slow, and nobody waits longer than needed.
READY_SECONDS = 180
STOP_SECONDS = 90
MAX_UPLOAD_MB = 3


@dataclass(kw_only=True)
class RunningSite:
    url: str
    folder: Path
    log: Path
    environment: dict[str, str]
    process: "subprocess.Popen[bytes] | None" = None
    _shell: Shell | None = None

    def run(self, program: str) -> str:
        """Run Python in the site's place, with Django set up; return what it prints."""
        self._shell = self._shell or Shell(self.environment)
        return self._shell.run(program)

    def manage(self, *arguments: str, **environment: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, f"manage.py {arguments}:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def close(self) -> None:
        """Close what was opened here; the site itself goes on."""
        if self._shell:
            self._shell.close()

    def read_log(self, after: int = 0) -> str:
        with self.log.open("rb") as file:
            file.seek(after)
            return file.read().decode(errors="replace")

    @contextlib.contextmanager
    def resting_worker(self) -> Iterator[None]:
        """Stop the worker's process until the context ends, as ``kill -STOP`` does."""
        with self._resting("worker"):
            yield

    @contextlib.contextmanager
    def resting_courier(self) -> Iterator[None]:
        """Stop the courier's process until the context ends: nothing is sent or fetched."""
        with self._resting("courier"):
            yield

    @contextlib.contextmanager
    def _resting(self, kind: str) -> Iterator[None]:
        pid = self._pid_of(kind)
        deadline = time.monotonic() + READY_SECONDS
        os.kill(pid, signal.SIGSTOP)
        while not self._has_no_writer():  # stopped while it held SQLite's write lock, perhaps
            assert time.monotonic() < deadline, "the database stays locked"
            os.kill(pid, signal.SIGCONT)
            time.sleep(0.05)
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):  # it was killed meanwhile
                os.kill(pid, signal.SIGCONT)

    @contextlib.contextmanager
    def gone(self) -> Iterator[None]:
        """Kill the whole site as a power cut does, and start it again when the context ends."""
        assert self.process
        self.process.kill()  # its children end with it
        self.process.wait()
        try:
            yield
        finally:
            self.start()

    def start(self) -> None:
        """Start the site, and return when it is healthy."""
        port = urlsplit(self.url).port or 0
        _wait_until_free(port)  # those that were killed may still be about to go
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up", "--port", str(port)],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        _wait_until_well(self, self.process)

    def _pid_of(self, kind: str) -> int:
        is_ready = re.compile(rf"{kind}:[^:\s]+:(\d+) is ready")
        deadline = time.monotonic() + READY_SECONDS
        while not (pids := is_ready.findall(self.read_log())):
            assert time.monotonic() < deadline, f"no {kind} is ready"
            time.sleep(0.05)
        return int(pids[-1])

    def _has_no_writer(self) -> bool:
        file = self.folder / "db.sqlite3"
        if not file.exists():
            return True  # PostgreSQL locks rows, not the database
        with contextlib.closing(sqlite3.connect(file, timeout=0.5)) as database:
            try:
                database.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return False
            database.execute("ROLLBACK")
            return True


@contextlib.contextmanager
def running_site(
    folder: Path,
    *,
    port: int = 0,
    path: str = "",
    environment: Mapping[str, str] | None = None,
    fill: Callable[[RunningSite], None] | None = None,
    is_sent_nonsense: bool = False,
) -> Iterator[RunningSite]:
    """Run a site until the context ends, and check that it stops in good order.

    ``environment`` are settings besides. Who must know its port beforehand gives it one. ``fill``
    may put something into its folder and its database, which are empty, before. A site that is sent
    nonsense may log a trace for it, as Django does for bodies it cannot read.
    """
    with _own_database() as database:
        url = f"http://127.0.0.1:{port or free_port()}{path}"
        models = os.environ.get("FACESWAP_MODELS_DIR") or str(ROOT / "var" / "models")
        site = RunningSite(
            url=url,
            folder=folder,
            log=folder / "site.log",
            environment={
                **os.environ,
                **database,
                "DJANGO_SETTINGS_MODULE": "tests.site_settings",
                "FACESWAP_VAR": str(folder),
                "FACESWAP_MODELS_DIR": models,
                "FACESWAP_MAX_UPLOAD_MB": str(MAX_UPLOAD_MB),
                "SITE_URL": url,
                **(environment or {}),
            },
        )
        if not list(Path(models).rglob("*.tflite")):
            site.manage("fetch_models")
        if fill:
            fill(site)
        site.manage("prepare")
        site.log.touch()
        try:
            with evidence.keeping_log(folder.name, site.log):
                site.start()
                yield site
        finally:
            site.close()
            code = _stop(site.process) if site.process else 0
            log = site.read_log()
        assert code == 0, f"the site ended with {code}:\n{log[-6000:]}"
        assert is_sent_nonsense or "Traceback" not in log, log[log.index("Traceback") - 1000 :][
            :6000
        ]


def _wait_until_free(port: int) -> None:
    deadline = time.monotonic() + STOP_SECONDS
    while True:
        try:
            with socket.create_server(("127.0.0.1", port)):
                return
        except OSError:
            assert time.monotonic() < deadline, f"port {port} stays taken"
            time.sleep(0.05)


def _wait_until_well(site: RunningSite, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + READY_SECONDS
    health = "no answer"
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{site.url}/healthz", timeout=5) as answer:
                json.load(answer)
                return
        except urllib.error.HTTPError as error:
            with error:
                health = error.read().decode()
        except OSError as error:
            health = str(error)
        time.sleep(0.1)
    raise AssertionError(f"the site is not well: {health}\n{site.read_log()[-6000:]}")


def _stop(process: "subprocess.Popen[bytes]") -> int:
    process.terminate()
    try:
        return process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return -9


@contextlib.contextmanager
def _own_database() -> Iterator[dict[str, str]]:
    """Create a database on a PostgreSQL server; SQLite lies in the site's folder anyway."""
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith("postgres"):
        yield {"DATABASE_URL": ""}
        return
    name = sql.Identifier(own := f"faceswap_e2e_{uuid.uuid4().hex[:12]}")
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
        server.execute(sql.SQL("CREATE DATABASE {}").format(name))
    try:
        yield {"DATABASE_URL": urlsplit(url)._replace(path=f"/{own}").geturl()}
    finally:
        with psycopg.connect(url, autocommit=True) as server:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))
