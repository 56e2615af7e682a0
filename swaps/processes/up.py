"""Runs the whole site in one command: web server, workers, courier and clock, supervised."""

import errno
import http.client
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import CommandError

from swaps.runtime import supervisor
from swaps.runtime.supervisor import Program
from swaps.storage import space

READY_SECONDS = 60.0
PAUSE_SECONDS = 0.2
LATE_PAUSE_SECONDS = 10.0  # each question leaves lines in the log, which may be on a full disk
ENVIRONMENT = {
    "MALLOC_ARENA_MAX": "2",  # glibc keeps an arena for each thread otherwise
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PGCONNECT_TIMEOUT": "5",
}


def run(*, bind: str, port: int, web_workers: int, workers: int) -> None:
    """Serve until a signal comes. Raises CommandError when a process keeps dying."""
    check_port_is_free(bind, port)
    address = f"http://{'127.0.0.1' if bind == '0.0.0.0' else bind}:{port}"  # noqa: S104
    environment = {**ENVIRONMENT, **os.environ}
    # Empty counts as unset.
    site_url = settings.SITE_URL if environment.get("SITE_URL") else address
    environment["SITE_URL"] = site_url
    children = programs(bind, port, web_workers, workers)
    write_line = supervisor.line_writer([program.name for program in children])
    announce = threading.Thread(
        target=announce_when_ready,
        args=(address, site_url, partial(write_line, "up")),
        daemon=True,
    )
    code = supervisor.supervise(
        children,
        cwd=settings.BASE_DIR,
        environment=environment,
        write_line=write_line,
        on_start=announce.start,
        is_excused=space.is_exhausted,
    )
    if code:
        raise CommandError("Stopped because a process keeps dying.", returncode=code)


def programs(bind: str, port: int, web_workers: int, workers: int) -> list[Program]:
    """Return the command of each process."""
    manage = (sys.executable, str(settings.BASE_DIR / "manage.py"))
    web = (
        *(sys.executable, "-m", "gunicorn", "--config", "python:swaps.processes.gunicorn_config"),
        *("--bind", f"{bind}:{port}", "--workers", str(web_workers), "faceswap_site.wsgi"),
    )
    return [
        Program(name="web", command=web),
        *(
            Program(name=f"worker-{number}", command=(*manage, "worker"))
            for number in range(1, workers + 1)
        ),
        Program(name="courier", command=(*manage, "courier")),
        Program(name="clock", command=(*manage, "clock")),
    ]


def check_port_is_free(bind: str, port: int) -> None:
    """Raise CommandError when the port cannot be listened on."""
    try:
        with socket.create_server((bind, port)):
            return
    except (OSError, OverflowError) as error:
        if getattr(error, "errno", None) == errno.EADDRINUSE:
            raise CommandError(
                f"Port {port} on {bind} is taken. Stop what listens there, or choose another one: "
                "make run PORT=8001 (or manage.py up --port 8001)."
            ) from error
        raise CommandError(f"Cannot listen on {bind}:{port}: {error}.") from error


def announce_when_ready(
    address: str,
    site_url: str,
    write_line: Callable[[str], None],
    *,
    ready_seconds: float = READY_SECONDS,
    late_pause_seconds: float = LATE_PAUSE_SECONDS,
) -> None:
    """Print ``Ready on …`` when the site answers for itself, or what is missing meanwhile."""
    deadline = time.monotonic() + ready_seconds
    pause = PAUSE_SECONDS
    while (missing := health_problem(address, site_url)) is not None:
        if time.monotonic() > deadline:
            write_line(f"Not ready after {ready_seconds:.0f} s: {missing}")
            deadline, pause = float("inf"), late_pause_seconds
        time.sleep(pause)
    write_line(f"Ready on {address}{urlsplit(site_url).path}")


def health_problem(address: str, site_url: str) -> str | None:
    """Return what is not healthy by ``/healthz``; None when all is well."""
    site = urlsplit(site_url)
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=3)
    try:
        connection.request("GET", f"{site.path}/healthz", headers={"Host": site.netloc})
        response = connection.getresponse()
        body = response.read()
        if response.status == http.HTTPStatus.OK:
            return None
        checks = json.loads(body)["checks"]
        return ", ".join(f"{name}: {state}" for name, state in checks.items() if state != "ok")
    except (OSError, http.client.HTTPException):
        return "the web server does not answer"
    except (ValueError, LookupError, TypeError):
        return f"/healthz answers with status {response.status}"
    finally:
        connection.close()
