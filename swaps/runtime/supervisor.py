"""Starts programs, keeps them alive, and leaves nothing behind. Standard library only.

Each program gets its own process group, so that it can be ended with all it has started. A
program that dies is started again, later each time; one that keeps dying ends the whole.
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

Say = Callable[[str, str], None]


@dataclass(frozen=True, kw_only=True)
class Program:
    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)  # on top of what all have


@dataclass(kw_only=True)
class _Child:
    """A program, the process that runs it now (if any), and when it died lately."""

    program: Program
    process: subprocess.Popen[bytes] | None = None
    start_at: float = 0.0
    deaths: deque[float] = field(default_factory=deque)


def supervise(
    programs: Sequence[Program],
    *,
    cwd: Path,
    environment: Mapping[str, str],
    say: Say,
    on_start: Callable[[], None] = lambda: None,
    is_excused: Callable[[], bool] = lambda: False,
) -> int:
    """Run all programs until a signal asks to stop (0) or one of them keeps dying (1).

    ``is_excused``: whether there is a reason for dying that will pass.
    """
    die_with_supervisor()  # one may run under another
    environment = {**environment, SUPERVISOR_PID: str(os.getpid()), "PYTHONUNBUFFERED": "1"}
    children = [_Child(program=program) for program in programs]
    with _stop_signals() as received:
        try:
            on_start()
            while not received:
                for child in children:
                    _tend(child, cwd, environment, say)
                    if len(child.deaths) >= MAX_DEATHS and not is_excused():
                        say("up", f"{child.program.name} keeps dying; giving up")
                        return 1
                time.sleep(TICK_SECONDS)
            say("up", "stopping")
            return 0
        finally:
            _stop_all(children, is_urgent=lambda: len(received) > 1)


def printer(names: Sequence[str]) -> Say:
    """Prints lines behind the name of who said them, aligned, never torn apart."""
    width = max(map(len, names))
    lock = threading.Lock()

    def say(name: str, line: str) -> None:
        with lock, contextlib.suppress(OSError):  # nobody reads any more: keep serving
            sys.stdout.write(f"{name:<{width}} | {line}\n")
            sys.stdout.flush()

    return say


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


def _tend(child: _Child, cwd: Path, environment: Mapping[str, str], say: Say) -> None:
    """Start the child when it is due; when it has died, plan when to start it again."""
    now = time.monotonic()
    if child.process is None:
        if now >= child.start_at:
            child.process = _start(child.program, cwd, environment, say)
        return
    code = child.process.poll()
    if code is None:
        return
    _kill_group(child.process)  # what it started must not hold its port or its work
    child.process = None
    while child.deaths and child.deaths[0] < now - DEATHS_WINDOW_SECONDS:
        child.deaths.popleft()
    delay = FIRST_DELAY_SECONDS * DELAY_GROWTH ** min(len(child.deaths), MAX_DEATHS - 1)
    child.deaths.append(now)
    child.start_at = now + delay
    say("up", f"{child.program.name} {_how_it_ended(code)}; starting it again in {delay:.1f} s")


def _start(
    program: Program, cwd: Path, environment: Mapping[str, str], say: Say
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
    threading.Thread(target=_pump, args=(program.name, process, say), daemon=True).start()
    return process


def _pump(name: str, process: subprocess.Popen[bytes], say: Say) -> None:
    if process.stdout is None:
        return
    with process.stdout as lines:
        for line in lines:
            say(name, line.decode(errors="replace").rstrip())


def _stop_all(children: Sequence[_Child], *, is_urgent: Callable[[], bool]) -> None:
    """SIGTERM, time to finish, then SIGKILL for whatever is left of each group."""
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


def _how_it_ended(code: int) -> str:
    if code >= 0:
        return f"exited with code {code}"
    return f"was killed by {signal.Signals(-code).name}"
