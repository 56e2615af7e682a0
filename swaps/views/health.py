"""The health check at ``/healthz``, for load balancers, monitors and ``manage.py up``."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from http import HTTPStatus
from threading import Lock

from django.db import Error
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from swaps import heartbeat, storage
from swaps.storage import space

PROCESSES = ("worker", "courier", "clock")
STORAGE_TIMEOUT_SECONDS = 3.0
STORAGE_CACHE_SECONDS = 5.0

log = logging.getLogger(__name__)


@require_safe
def healthz(_request: HttpRequest) -> JsonResponse:
    """Return 200 when every part works, otherwise 503 naming those that do not."""
    checks = {**check_database(), "storage": check_space() or check_storage()}
    is_well = set(checks.values()) == {"ok"}
    return JsonResponse(
        {"status": "ok" if is_well else "failing", "checks": checks},
        status=HTTPStatus.OK if is_well else HTTPStatus.SERVICE_UNAVAILABLE,
        headers={"Cache-Control": "no-store"},
    )


def check_database() -> dict[str, str]:
    """Check the database, and the heartbeats that the other processes write to it."""
    now = timezone.now()
    try:
        alive = {name: heartbeat.is_alive(f"{name}:", now) for name in PROCESSES}
    except Error as error:
        is_known = space.is_disk_full_error(error)
        log.warning("healthz: the database does not answer", exc_info=not is_known)
        unknown = dict.fromkeys(PROCESSES, "unknown without the database")
        return {"database": "does not answer", **unknown}
    states = {name: "ok" if is_alive else "no sign of life" for name, is_alive in alive.items()}
    return {"database": "ok", **states}


def check_space() -> str:
    """Return what is wrong with the free space on the disk; empty while new pictures have room."""
    free = space.free_bytes()
    if free is None or not space.is_low():
        return ""
    what = "full" if space.is_exhausted() else "low"
    return f"{what}: {free // 1_000_000} MB free; new pictures are refused"


def make_storage_check(
    is_alive: Callable[[], bool], *, timeout: float, clock: Callable[[], float] = time.monotonic
) -> Callable[[], str]:
    """Return a check that takes at most ``timeout`` seconds and asks the store at most every 5 s.

    A store that hangs holds one thread of this process, not one for each request.
    """
    pool = ThreadPoolExecutor(1, thread_name_prefix="storage-check")
    lock = Lock()
    probe: Future[bool] | None = None
    probed_at = 0.0

    def check() -> str:
        nonlocal probe, probed_at
        with lock:
            is_old = clock() - probed_at > STORAGE_CACHE_SECONDS
            if probe is None or (probe.done() and (is_old or not _succeeded(probe))):
                probe, probed_at = pool.submit(is_alive), clock()
            current = probe
        try:
            return "ok" if current.result(timeout) else "gives back something else than was stored"
        except TimeoutError:
            return "does not answer in time"
        except Exception as error:
            if space.is_disk_full_error(error):
                return "full: no file can be stored"
            log.warning("healthz: the storage fails", exc_info=True)
            return "cannot store or read a file"

    return check


def _succeeded(probe: Future[bool]) -> bool:
    return probe.exception() is None and probe.result()


check_storage = make_storage_check(storage.probe, timeout=STORAGE_TIMEOUT_SECONDS)
