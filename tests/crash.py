"""Kills the worker in the middle of swaps, and checks how every swap and the quota end.

``tests/test_crash.py`` runs it small, ``bench/crash.py`` large.
"""

import contextlib
import io
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings
from django.utils import timezone
from PIL import Image

from swaps import heartbeat, images, storage
from swaps.lifecycle.request import request_swap
from swaps.models import Heartbeat, Quota, Status, Swap, User
from tests.paths import ROOT
from tests.running import free_port, wait_until

DEMO = ROOT / "static" / "img" / "demo"
LEASE_SECONDS = 10  # longer than a swap takes on a machine that is busy with something else
# The supervisor gives up after so many deaths in 30 s, rightly; but these are no accidents.
MAX_DEATHS = 5
SECONDS_BETWEEN_KILLS = 7.6
# How far into a swap (seconds) the kills come, in turn.
DEPTHS = (0.0, 0.1, 0.2, 0.3, 0.4)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    swaps: int
    kills: int
    succeeded: int
    spent: int
    refunded: int
    attempts: tuple[int, ...]
    pictures: int
    seconds: float


def survive_kills(*, swaps: int, kills: int, environment: Mapping[str, str]) -> Outcome:
    """Request ``swaps`` swaps of a running site and kill its worker in ``kills`` of them."""
    owner = User.objects.create_user(f"{uuid.uuid4()}@example.com", "correct horse battery")
    granted = Quota.objects.get_or_grant(owner).remaining
    started_at = time.monotonic()
    killed: set[uuid.UUID] = set()
    pause = SECONDS_BETWEEN_KILLS if kills >= MAX_DEATHS else 0
    with running_site(environment):
        for number in range(swaps):
            request_slow_swap(owner)
            if len(killed) < min(kills, kills * (number + 2) // swaps):
                before = time.monotonic()
                cut_off = kill_worker_during_swap(killed, DEPTHS[len(killed) % len(DEPTHS)])
                if cut_off:
                    killed.add(cut_off)
                    time.sleep(max(0, before + pause - time.monotonic()))
        mine = Swap.objects.filter(owner=owner)
        assert wait_until(lambda: not mine.unfinished().exists(), 300), "swaps stay unfinished"
    quota = Quota.objects.get(user=owner)
    return Outcome(
        swaps=mine.count(),
        kills=len(killed),
        succeeded=mine.filter(status=Status.SUCCEEDED).count(),
        spent=quota.spent,
        refunded=quota.remaining + swaps - granted,
        attempts=tuple(mine.order_by("created_at").values_list("attempts", flat=True)),
        pictures=sum(storage.read(swap.result_key)[:2] == b"\xff\xd8" for swap in mine),
        seconds=time.monotonic() - started_at,
    )


def request_slow_swap(owner: User) -> Swap:
    """Request a swap that takes about half a second, so that there is time to kill."""
    source, target = load(DEMO / "1-face.jpg", 1.0), load(DEMO / "1-photo.jpg", 4.0)
    return request_swap(owner, source, target)


@cache
def load(path: Path, megapixels: float) -> images.Photo:
    """Return the photo, scaled to this size."""
    with Image.open(path) as image:
        scale = (megapixels * 1e6 / (image.width * image.height)) ** 0.5
        resized = image.resize((round(image.width * scale), round(image.height * scale)))
    file = io.BytesIO()
    resized.save(file, "JPEG", quality=90)
    return images.accept(
        io.BytesIO(file.getvalue()),
        size=file.tell(),
        max_bytes=settings.FACESWAP_MAX_UPLOAD_BYTES,
        max_pixels=settings.FACESWAP_MAX_PIXELS,
    )


def kill_worker_during_swap(killed: set[uuid.UUID], depth: float) -> uuid.UUID | None:
    """Kill the worker ``depth`` seconds after a swap began, and return the swap that it cut off.

    Returns None, and kills nothing, when the swap was faster than that.
    """
    fresh = Swap.objects.filter(status=Status.PROCESSING, attempts=1).exclude(pk__in=killed)
    assert wait_until(fresh.exists), "no swap is being processed"
    time.sleep(depth)
    pid = worker_pid()
    os.kill(pid, signal.SIGSTOP)  # holds the moment for a look
    cut_off = fresh.first()
    if cut_off is None:
        os.kill(pid, signal.SIGCONT)
        return None
    os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: worker_pid() not in {0, pid}), "no new worker"
    return cut_off.pk


def worker_pid() -> int:
    """Return the pid of this site's living worker; 0 while there is none."""
    alive = Heartbeat.objects.filter(
        name__startswith="worker:", seen_at__gt=timezone.now() - heartbeat.STALE_AFTER
    )
    pids = [int(row.name.rpartition(":")[2]) for row in alive.order_by("-seen_at")]
    return next((pid for pid in pids if Path(f"/proc/{pid}/cmdline").exists()), 0)


@contextlib.contextmanager
def running_site(environment: Mapping[str, str], port: int = 0) -> Iterator[int]:
    """Run ``manage.py up`` on this database; yield the supervisor's pid once the site is ready."""
    port = port or free_port()
    process = subprocess.Popen(
        [sys.executable, "manage.py", "up", "--port", str(port)],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "faceswap_site.settings", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    output: list[str] = []
    assert process.stdout
    try:
        for line in process.stdout:
            output.append(line)
            if "Ready on" in line:
                break
            assert "Not ready" not in line, "".join(output)
        else:
            raise AssertionError("the site did not start:\n" + "".join(output))
        yield process.pid
    finally:
        process.terminate()
        process.communicate(timeout=60)
