"""Benchmark of the web site: memory of its processes, CPU of a poll, seconds to a picture."""

import os
import re
import resource
import shutil
import statistics
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from bench import _setup

if TYPE_CHECKING:
    from django.test import Client

    from swaps.models import User

SUBMITS = 20
SWAPS_1_MP = 20
PASSWORD = "a fine long pass phrase"


def main() -> None:
    environment = _setup.prepare()
    from django.test.utils import setup_test_environment

    from swaps.models import User
    from tests.crash import running_site
    from tests.running import free_port

    setup_test_environment()
    owner = User.objects.create_user("bench@example.com", PASSWORD)
    figures: dict[str, object] = measure_poll(owner)
    port = free_port()
    with running_site(environment, port) as supervisor:
        figures |= measure_web_memory(port, supervisor, owner)
        figures |= measure_submit_to_picture(port, owner)
        figures |= measure_worker_memory(owner)
    _setup.report("web", figures)
    shutil.rmtree(environment["FACESWAP_VAR"], ignore_errors=True)


def measure_poll(owner: "User") -> dict[str, object]:
    """Measure a poll of 24 cards, some unfinished, when nothing has changed."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from swaps.models import Status, Swap

    Swap.objects.bulk_create(
        Swap(
            owner=owner,
            status=Status.QUEUED if number < 4 else Status.FAILED,
            source_key=f"bench/{number}/source.jpg",
            target_key=f"bench/{number}/target.jpg",
        )
        for number in range(24)
    )
    client = signed_in_client(owner)
    page = client.get("/swaps/")
    poll = page.context["poll"].url
    client.get(poll, headers={"HX-Request": "true"})
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(poll, headers={"HX-Request": "true"})
    query_count = len(queries)  # the next request empties the log
    cpu = cpu_ms(lambda: client.get(poll, headers={"HX-Request": "true"}), 100)
    page_cpu = cpu_ms(lambda: client.get("/swaps/"), 50)
    Swap.objects.filter(owner=owner).delete()
    return {
        "history_cards": len(page.context["swaps"]),
        "poll_status": answer.status_code,
        "poll_bytes": len(answer.content),
        "poll_queries": query_count,
        "poll_cpu_ms": cpu,
        "history_cpu_ms": page_cpu,
    }


def measure_web_memory(port: int, supervisor: int, owner: "User") -> dict[str, object]:
    cookie = signed_in_client(owner).cookies["sessionid"].value
    for number in range(200):
        path = ("/", "/swaps/", "/swaps/new/", "/healthz")[number % 4]
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}{path}", headers={"Cookie": f"sessionid={cookie}"}
        )
        with urllib.request.urlopen(request) as answer:
            answer.read()
    gunicorn = next(pid for pid in child_pids(supervisor) if "gunicorn" in command_line(pid))
    return {
        "web_rss_mb_after_200_requests": max(map(rss_mb, child_pids(gunicorn))),
        "gunicorn_master_rss_mb": rss_mb(gunicorn),
        "supervisor_rss_mb": rss_mb(supervisor),
    }


def measure_worker_memory(owner: "User") -> dict[str, object]:
    from tests.crash import DEMO, worker_pid

    source, target = DEMO / "1-face.jpg", DEMO / "1-photo.jpg"
    begun = rss_mb(worker_pid())
    seconds = [swap(owner, source, target, 1.0) for _ in range(SWAPS_1_MP)]
    after_small = rss_mb(worker_pid())
    large = swap(owner, source, target, 12.0)
    return {
        "worker_rss_mb_before": begun,
        "worker_rss_mb_after_20_swaps_of_1_mp": after_small,
        "worker_rss_mb_after_one_of_12_mp": rss_mb(worker_pid()),
        "worker_peak_mb": peak_mb(worker_pid()),
        "swap_1_mp_median_s": round(statistics.median(seconds), 2),
        "swap_12_mp_s": round(large, 2),
    }


def measure_submit_to_picture(port: int, owner: "User") -> dict[str, object]:
    """Measure from a file to the boxes, and from the click to the result, in headless Chromium."""
    from tests.crash import DEMO
    from tests.parts import chromium_path

    chromium = chromium_path()
    if chromium is None:
        return {"submit_to_picture": "SKIPPED: Chromium"}
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright's loop runs in this thread
    cookie = signed_in_client(owner).cookies["sessionid"].value
    from playwright.sync_api import sync_playwright

    looked, seconds = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        site = f"http://127.0.0.1:{port}"
        context = browser.new_context()
        context.add_cookies([{"name": "sessionid", "value": cookie, "url": site}])
        page = context.new_page()
        for _ in range(SUBMITS):
            page.goto(f"{site}/swaps/new/")
            begun = time.perf_counter()
            page.locator("#id_source_image").set_input_files(DEMO / "1-face.jpg")
            page.locator("[data-place=source] .face").wait_for()
            looked.append(time.perf_counter() - begun)
            page.locator("#id_target_image").set_input_files(DEMO / "1-photo.jpg")
            page.locator("[data-place=target] .face").wait_for()
            if page.locator("#id_consent").count():
                page.locator("#id_consent").check()
            begun = time.perf_counter()
            page.get_by_role("button", name="Swap faces").click()
            image = page.locator("[data-compare] .after img")
            image.wait_for()
            image.evaluate("i => i.decode()")
            seconds.append(time.perf_counter() - begun)
        browser.close()
    return {
        **spread("photo_chosen_to_boxes", looked),
        **spread("submit_to_picture", seconds),
        "submit_to_picture_times": len(seconds),
    }


def spread(name: str, seconds: list[float]) -> dict[str, object]:
    return {
        f"{name}_median_s": round(statistics.median(seconds), 2),
        f"{name}_p95_s": round(statistics.quantiles(seconds, n=20)[-1], 2),
    }


def swap(owner: "User", source: Path, target: Path, megapixels: float) -> float:
    """Request a swap of a target of this size, and return the seconds until it was finished."""
    from swaps.lifecycle.request import request_swap
    from tests.crash import load
    from tests.running import wait_until

    requested = request_swap(owner, load(source, 1.0), load(target, megapixels))

    def is_finished() -> bool:
        requested.refresh_from_db()
        return not requested.is_unfinished

    assert wait_until(is_finished, 120)
    assert requested.is_succeeded, requested.error_text
    assert requested.seconds is not None
    return requested.seconds


def signed_in_client(owner: "User") -> "Client":
    from django.test import Client

    client = Client()
    client.force_login(owner, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def cpu_ms(call: Callable[[], object], times: int) -> float:
    """Return the CPU time of one call, in milliseconds."""

    def used() -> float:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return usage.ru_utime + usage.ru_stime

    begun = used()
    for _ in range(times):
        call()
    return round((used() - begun) / times * 1000, 2)


def child_pids(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(child) for child in text.split()]


def command_line(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8")


def rss_mb(pid: int) -> int:
    return _status_mb(pid, "VmRSS")


def peak_mb(pid: int) -> int:
    return _status_mb(pid, "VmHWM")


def _status_mb(pid: int, field: str) -> int:
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    found = re.search(rf"{field}:\s+(\d+) kB", status)
    assert found
    return int(found[1]) // 1024


if __name__ == "__main__":
    main()
