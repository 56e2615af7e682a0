"""Is the site working? For load balancers, monitors and ``manage.py up``."""

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
    """200 when every part works, otherwise 503 naming the one that does not."""
    checks = {**check_rows(), "storage": check_space() or check_storage()}
    is_well = set(checks.values()) == {"ok"}
    return JsonResponse(
        {"status": "ok" if is_well else "failing", "checks": checks},
        status=HTTPStatus.OK if is_well else HTTPStatus.SERVICE_UNAVAILABLE,
        headers={"Cache-Control": "no-store"},
    )


def check_rows() -> dict[str, str]:
    """The database, and what the other processes have left there."""
    now = timezone.now()
    try:
        alive = {name: heartbeat.is_alive(f"{name}:", now) for name in PROCESSES}
    except Error as error:
        is_known = space.is_full(error)
        log.warning("healthz: the database does not answer", exc_info=not is_known)
        unknown = dict.fromkeys(PROCESSES, "unknown without the database")
        return {"database": "does not answer", **unknown}
    states = {name: "ok" if is_alive else "no sign of life" for name, is_alive in alive.items()}
    return {"database": "ok", **states}


def check_space() -> str:
    """Empty while there is room for new pictures."""
    free = space.free_bytes()
    if free is None or not space.is_low():
        return ""
    what = "full" if space.is_out() else "low"
    return f"{what}: {free // 1_000_000} MB free; new pictures are refused"


def make_storage_check(
    is_alive: Callable[[], bool], *, timeout: float, clock: Callable[[], float] = time.monotonic
) -> Callable[[], str]:
    """A check that never takes longer than ``timeout`` and asks the store at most every 5 s.

    A store that hangs holds one thread of this process, not one for each question.
    """
    pool = ThreadPoolExecutor(1, thread_name_prefix="storage-check")
    lock = Lock()
    asked: Future[bool] | None = None
    asked_at = 0.0

    def check() -> str:
        nonlocal asked, asked_at
        with lock:
            is_old = clock() - asked_at > STORAGE_CACHE_SECONDS
            if asked is None or (asked.done() and (is_old or not _succeeded(asked))):
                asked, asked_at = pool.submit(is_alive), clock()
            answer = asked
        try:
            return "ok" if answer.result(timeout) else "gives back something else than was stored"
        except TimeoutError:
            return "does not answer in time"
        except Exception as error:
            if space.is_full(error):
                return "full: no file can be stored"
            log.warning("healthz: the storage fails", exc_info=True)
            return "cannot store or read a file"

    return check


def _succeeded(answer: Future[bool]) -> bool:
    return answer.exception() is None and answer.result()


check_storage = make_storage_check(storage.is_alive, timeout=STORAGE_TIMEOUT_SECONDS)
