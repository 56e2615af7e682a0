"""Starts real processes of the site for load tests; their log goes to a file."""

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from bench import _setup
from bench._load import Request, send

GUNICORN = (
    "-m",
    "gunicorn",
    "--config",
    "python:swaps.processes.gunicorn_config",
    "faceswap_site.wsgi",
)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
    return port


@contextlib.contextmanager
def whole_site(environment: Mapping[str, str], port: int, log: Path | None = None) -> Iterator[int]:
    """Run ``manage.py up`` until it is healthy; yields the pid of the supervisor."""
    command = ("manage.py", "up", "--port", str(port))
    with _running(command, environment, port, is_healthy, log) as pid:
        yield pid


@contextlib.contextmanager
def web_server(environment: Mapping[str, str], port: int, workers: int = 2) -> Iterator[int]:
    """Run gunicorn alone, with the site's configuration; yields the pid of its master."""
    command = (*GUNICORN, "--bind", f"127.0.0.1:{port}", "--workers", str(workers))
    with _running(command, environment, port, is_responding) as pid:
        yield pid


@contextlib.contextmanager
def _running(
    command: tuple[str, ...],
    environment: Mapping[str, str],
    port: int,
    is_ready: Callable[[int], bool],
    log: Path | None = None,
) -> Iterator[int]:
    from tests.running import wait_until

    log = log or Path(environment["FACESWAP_VAR"]) / f"{port}.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=_setup.ROOT,
            env={**os.environ, **environment, "MALLOC_ARENA_MAX": "2"},
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        is_started = wait_until(lambda: process.poll() is not None or is_ready(port), 60)
        assert is_started, log.read_text()[-3000:]
        assert process.poll() is None, log.read_text()[-3000:]
        yield process.pid
    finally:
        process.terminate()
        process.wait(30)


def is_healthy(port: int) -> bool:
    return _health(port) == 200


def is_responding(port: int) -> bool:
    """Return whether the server answers at all; without workers it is not healthy."""
    return _health(port) != 0


def _health(port: int) -> int:
    try:
        return send(Request(port=port, path="/healthz")).status
    except OSError:
        return 0
