"""Starts programs, restarts those that die, and stops them all. Standard library only.

Each program runs in its own process group, so that it is stopped with everything it started. A
program that dies is restarted after growing delays; one that keeps dying stops the rest.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from swaps.runtime.parent_death import SUPERVISOR_PID, die_with_supervisor

TICK_SECONDS = 0.1
STOP_SECONDS = 10.0
MAX_DEATHS = 5
DEATHS_WINDOW_SECONDS = 30.0
FIRST_DELAY_SECONDS = 0.1
DELAY_GROWTH = 4
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

WriteLine = Callable[[str, str], None]


@dataclass(frozen=True, kw_only=True)
class Program:
    """A program to run, by the name under which its output is printed."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)  # added to the environment of all


@dataclass(kw_only=True)
class _Child:
    """A program, its current process if there is one, and when it died recently."""

    program: Program
    process: subprocess.Popen[bytes] | None = None
    start_at: float = 0.0
    deaths: deque[float] = field(default_factory=deque)


def supervise(
    programs: Sequence[Program],
    *,
    cwd: Path,
    environment: Mapping[str, str],
    write_line: WriteLine,
    on_start: Callable[[], None] = lambda: None,
    is_excused: Callable[[], bool] = lambda: False,
) -> int:
    """Run all programs until a signal asks to stop (returns 0) or one keeps dying (returns 1).

    ``is_excused``: whether deaths have a cause that will pass, like a full disk.
    """
    die_with_supervisor()  # supervisors may be nested
    environment = {**environment, SUPERVISOR_PID: str(os.getpid()), "PYTHONUNBUFFERED": "1"}
    children = [_Child(program=program) for program in programs]
    with _stop_signals() as received:
        try:
            on_start()
            while not received:
                for child in children:
                    _restart_if_dead(child, cwd, environment, write_line)
                    if len(child.deaths) >= MAX_DEATHS and not is_excused():
                        write_line("up", f"{child.program.name} keeps dying; giving up")
                        return 1
                time.sleep(TICK_SECONDS)
            write_line("up", "stopping")
            return 0
        finally:
            _stop_all(children, is_urgent=lambda: len(received) > 1)


def line_writer(names: Sequence[str]) -> WriteLine:
    """Return a function that prints a line behind an aligned name; threads may call it."""
    width = max(map(len, names))
    lock = threading.Lock()

    def write_line(name: str, line: str) -> None:
        with lock, contextlib.suppress(OSError):  # a closed stdout must not end the site
            sys.stdout.write(f"{name:<{width}} | {line}\n")
            sys.stdout.flush()

    return write_line


@contextlib.contextmanager
def _stop_signals() -> Iterator[list[int]]:
    received: list[int] = []

    def note(signum: int, _frame: FrameType | None) -> None:
        received.append(signum)

    before = {signum: signal.signal(signum, note) for signum in STOP_SIGNALS}
    try:
        yield received
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


def _restart_if_dead(
    child: _Child, cwd: Path, environment: Mapping[str, str], write_line: WriteLine
) -> None:
    """Start the child when it is due; when it has died, schedule its restart."""
    now = time.monotonic()
    if child.process is None:
        if now >= child.start_at:
            child.process = _start(child.program, cwd, environment, write_line)
        return
    code = child.process.poll()
    if code is None:
        return
    _kill_group(child.process)  # its children must not keep its port
    child.process = None
    while child.deaths and child.deaths[0] < now - DEATHS_WINDOW_SECONDS:
        child.deaths.popleft()
    delay = FIRST_DELAY_SECONDS * DELAY_GROWTH ** min(len(child.deaths), MAX_DEATHS - 1)
    child.deaths.append(now)
    child.start_at = now + delay
    write_line(
        "up", f"{child.program.name} {_describe_exit(code)}; starting it again in {delay:.1f} s"
    )


def _start(
    program: Program, cwd: Path, environment: Mapping[str, str], write_line: WriteLine
) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        program.command,
        cwd=cwd,
        env={**environment, **program.environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    threading.Thread(
        target=_forward_output, args=(program.name, process, write_line), daemon=True
    ).start()
    return process


def _forward_output(name: str, process: subprocess.Popen[bytes], write_line: WriteLine) -> None:
    if process.stdout is None:
        return
    with process.stdout as lines:
        for line in lines:
            write_line(name, line.decode(errors="replace").rstrip())


def _stop_all(children: Sequence[_Child], *, is_urgent: Callable[[], bool]) -> None:
    """Send SIGTERM, wait, then SIGKILL what is left of each process group."""
    processes = [child.process for child in children if child.process]
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline and not is_urgent():
        if all(process.poll() is not None for process in processes):
            break
        time.sleep(TICK_SECONDS / 2)
    for process in processes:
        _kill_group(process)
        process.wait()


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _describe_exit(code: int) -> str:
    if code >= 0:
        return f"exited with code {code}"
    return f"was killed by {signal.Signals(-code).name}"
