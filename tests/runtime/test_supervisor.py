"""The supervisor with real processes: what it starts lives, and dies, with it."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from swaps.processes import up
from tests.parts import on_one_database
from tests.paths import ROOT
from tests.running import wait_until

pytestmark = on_one_database

RUNNER = """
import json, os, pathlib, sys
from swaps.runtime import supervisor
supervisor.FIRST_DELAY_SECONDS = 0.02
supervisor.DELAY_GROWTH = 2
supervisor.STOP_SECONDS = float(sys.argv[2])
programs = [
    supervisor.Program(
        name=name, command=(sys.executable, *command), environment={"CALLED": name}
    )
    for name, command in json.loads(sys.argv[1]).items()
]
write_line = supervisor.line_writer([program.name for program in programs])
sys.exit(
    supervisor.supervise(
        programs, cwd=pathlib.Path.cwd(), environment=dict(os.environ), write_line=write_line
    )
)
"""
# Says its pid and that of a grandchild, both of which live on until somebody ends them.
FAMILY = """
import subprocess, sys, time
from swaps.runtime.parent_death import die_with_parent, die_with_supervisor
die_with_supervisor()
grandchild = "import os,sys,time; from swaps.runtime.parent_death import die_with_parent; " \
    "die_with_parent(int(sys.argv[1])); print('pid', os.getpid(), flush=True); time.sleep(60)"
import os
print("pid", os.getpid(), flush=True)
subprocess.Popen([sys.executable, "-c", grandchild, str(os.getpid())])
time.sleep(60)
"""
STUBBORN = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + FAMILY
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[subprocess.Popen[str]] = []

    def start(programs: dict[str, list[str]], stop_seconds: float = 5) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", RUNNER, json.dumps(programs), str(stop_seconds)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.terminate()
        process.communicate(timeout=60)


def read_pids(process: subprocess.Popen[str], count: int) -> list[int]:
    """The pids that the programs have said, as soon as there are so many."""
    assert process.stdout
    pids: list[int] = []
    while len(pids) < count:
        line = process.stdout.readline()
        assert line, "the supervisor ended early"
        name, _, message = line.partition(" | ")
        if name.strip() != "up" and message.startswith("pid"):
            pids.append(int(message.split()[1]))
    return pids


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def are_gone(pids: list[int]) -> bool:
    """Soon: who dies with its parent does so a moment after it."""
    return wait_until(lambda: not any(map(is_running, pids)))


def test_a_child_that_dies_is_started_again_without_what_it_had_started(start: Start) -> None:
    supervisor = start({"family": ["-c", FAMILY]})
    child, grandchild = read_pids(supervisor, 2)

    os.kill(child, signal.SIGKILL)

    assert child not in read_pids(supervisor, 2)
    assert are_gone([grandchild])


def test_a_child_that_keeps_dying_ends_everything_with_an_error(start: Start) -> None:
    supervisor = start({"family": ["-c", FAMILY], "broken": ["-c", "raise SystemExit('oh no')"]})

    output, _ = supervisor.communicate(timeout=60)

    assert supervisor.returncode == 1
    assert output.count("broken | oh no") == 5
    assert "broken keeps dying; giving up" in output
    pids = [int(line.split()[-1]) for line in output.splitlines() if "| pid" in line]
    assert are_gone(pids)


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_children_and_grandchildren(start: Start, signum: int) -> None:
    supervisor = start({"one": ["-c", FAMILY], "two": ["-c", FAMILY]})
    pids = read_pids(supervisor, 4)

    supervisor.send_signal(signum)

    assert supervisor.wait(timeout=60) == 0
    assert are_gone(pids)


def test_a_child_that_ignores_sigterm_is_killed(start: Start) -> None:
    supervisor = start({"stubborn": ["-c", STUBBORN]}, stop_seconds=0.3)
    pids = read_pids(supervisor, 2)

    supervisor.terminate()

    assert supervisor.wait(timeout=60) == 0
    assert are_gone(pids)


@pytest.mark.skipif(sys.platform != "linux", reason="needs prctl(2)")
def test_killing_the_supervisor_leaves_nothing_behind(start: Start) -> None:
    supervisor = start({"one": ["-c", FAMILY], "two": ["-c", FAMILY]})
    pids = read_pids(supervisor, 4)

    supervisor.kill()

    assert are_gone(pids)


@pytest.mark.skipif(sys.platform != "linux", reason="needs prctl(2)")
def test_killing_a_supervisor_of_supervisors_leaves_nothing_behind(start: Start) -> None:
    inner = json.dumps({"family": ["-c", FAMILY]})
    outer = start({"inner": ["-c", RUNNER, inner, "5"]})
    assert outer.stdout
    pids = [int(outer.stdout.readline().split()[-1]) for _ in range(2)]

    outer.kill()

    assert are_gone(pids)


def test_each_program_has_an_environment_of_its_own_too(start: Start) -> None:
    says_it = "import os, time; print(os.environ['CALLED'], 'PATH' in os.environ); time.sleep(60)"
    supervisor = start({"one": ["-c", says_it], "two": ["-c", says_it]})
    assert supervisor.stdout
    message = {supervisor.stdout.readline().strip() for _ in range(2)}
    assert message == {"one | one True", "two | two True"}


def test_a_port_that_is_taken_is_said_before_anything_starts() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CommandError, match=f"Port {port} on 127.0.0.1 is taken"):
            call_command("up", port=port)


def test_what_dies_of_a_full_disk_is_started_again_until_there_is_room(tmp_path: Path) -> None:
    full = tmp_path / "full"
    full.touch()
    runner = RUNNER.replace(
        "write_line=write_line\n",
        "write_line=write_line, is_excused=pathlib.Path(sys.argv[3]).exists\n",
    )
    programs = {"mayfly": ["-c", "raise SystemExit(1)"]}
    deaths = 0
    with subprocess.Popen(
        [sys.executable, "-c", runner, json.dumps(programs), "1", str(full)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as supervisor:
        assert supervisor.stdout
        for line in supervisor.stdout:
            deaths += "starting it again" in line
            if deaths == 6:  # once more than it may without an excuse
                full.unlink(missing_ok=True)
    assert supervisor.returncode == 1
    assert deaths >= 6


def test_a_site_that_is_not_ready_is_asked_seldom_once_that_has_been_said() -> None:
    """Each question leaves lines in the log, and what is missing may be room on the disk."""
    questions: list[str] = []
    message: list[str] = []

    class FullDisk(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            questions.append(self.path)
            has_room = len(questions) > 1
            body = json.dumps({"checks": {"storage": "ok" if has_room else "full"}}).encode()
            self.send_response(200 if has_room else 503)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with HTTPServer(("127.0.0.1", 0), FullDisk) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        began = time.monotonic()
        up.announce_when_ready(
            address, address, message.append, ready_seconds=0, late_pause_seconds=0.6
        )
        took = time.monotonic() - began
        server.shutdown()

    assert message == ["Not ready after 0 s: storage: full", f"Ready on {address}"]
    assert took > 0.6
