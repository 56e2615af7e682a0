"""Benchmark of what pages weigh and how soon they stand, in headless Chromium.

The history of 24 cards (1280 × 900) at the first visit and the second; the page of a swap of 12
megapixels on a phone (390 px wide, three pixels each). How soon pages of a phone stand is measured
as Lighthouse simulates it: slow 4G (1.6 Mbit/s, 150 ms) and a CPU that is slowed down four times.
``--baseline DIR`` measures another checkout in the same run.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import _setup

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, CDPSession, Page

    from swaps.models import User

CARDS = 24
DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 900}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 3,
    "is_mobile": True,
    "has_touch": True,
}
SLOW_4G = {"offline": False, "latency": 150, "downloadThroughput": 200_000}
SLOWER_CPU = 4
TO_THE_END = """async () => {
  for (let y = 0; y < document.body.scrollHeight; y += 400) {
    scrollTo(0, y);
    await new Promise((done) => setTimeout(done, 60));
  }
}"""
VITALS = """() => {
  window.vitals = { lcp_ms: 0, cls: 0, tbt_ms: 0 };
  const observe = (type, note) => new PerformanceObserver((list) => list.getEntries().forEach(note))
    .observe({ type, buffered: true });
  observe("largest-contentful-paint", (entry) => { vitals.lcp_ms = Math.round(entry.startTime); });
  observe("layout-shift", (entry) => { if (!entry.hadRecentInput) vitals.cls += entry.value; });
  observe("longtask", (entry) => { vitals.tbt_ms += Math.round(entry.duration - 50); });
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--baseline", type=Path, help="another checkout of the site")
    baseline = parser.parse_args().baseline
    figures = measure_elsewhere(baseline.resolve()) if baseline else {}
    _setup.report("light", figures | measure())


def measure_elsewhere(checkout: Path) -> dict[str, object]:
    """Run this file with another checkout's modules, and return its figures."""
    models = os.environ.get("FACESWAP_MODELS_DIR") or str(_setup.ROOT / "var" / "models")
    done = subprocess.run(
        [sys.executable, __file__],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(checkout), "FACESWAP_MODELS_DIR": models},
        stdout=subprocess.PIPE,
        check=True,
    )
    figures: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return {f"baseline_{name}": value for name, value in figures.items() if name != "bench"}


def measure() -> dict[str, object]:
    environment = _setup.prepare()
    from swaps.models import User
    from tests.crash import running_site
    from tests.parts import chromium_path
    from tests.running import free_port

    chromium = chromium_path()
    if chromium is None:
        return {"light": "SKIPPED: Chromium"}
    owner = User.objects.create_user("bench@example.com", "a fine long pass phrase")
    port = free_port()
    with running_site(environment, port):
        large = make_swaps(owner)
        figures = measure_pages(chromium, f"http://127.0.0.1:{port}", owner, large)
    shutil.rmtree(environment["FACESWAP_VAR"], ignore_errors=True)
    return figures


def make_swaps(owner: "User") -> str:
    """Make the swaps that pages show; return the id of the large one, which is the oldest."""
    from bench.web import swap
    from swaps.models import Swap
    from tests.paths import PHOTOS

    photos = sorted(path for path in PHOTOS.glob("face-*.jpg"))
    swap(owner, photos[0], photos[1], 12.0)
    for number in range(CARDS):
        one, other = number % len(photos), (number + 1 + number // len(photos)) % len(photos)
        swap(owner, photos[one], photos[other], 1.0)
    return str(Swap.objects.order_by("created_at").values_list("pk", flat=True)[0])


def measure_pages(chromium: str, site: str, owner: "User", large: str) -> dict[str, object]:
    from playwright.sync_api import sync_playwright

    from bench.web import signed_in_client

    cookie = signed_in_client(owner).cookies["sessionid"].value
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright's loop runs in this thread
    figures: dict[str, object] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )

        def visitor(**device: Any) -> "BrowserContext":
            context = browser.new_context(**device)
            context.add_cookies([{"name": "sessionid", "value": cookie, "url": site}])
            return context

        context = visitor(**DESKTOP)
        for visit in ("first", "second"):
            weight = weigh(context.new_page(), f"{site}/swaps/")
            figures[f"history_{visit}_visit_pictures_kb"] = kb(weight["Image"])
            figures[f"history_{visit}_visit_kb"] = kb(weight.total())
        weight = weigh(visitor(**PHONE).new_page(), f"{site}/swaps/{large}/")
        figures["phone_swap_of_12_mp_pictures_kb"] = kb(weight["Image"])
        figures["phone_swap_of_12_mp_kb"] = kb(weight.total())
        pages = {"home": "/", "new": "/swaps/new/", "history": "/swaps/"}
        for name, path in {**pages, "swap": f"/swaps/{large}/"}.items():
            page = visitor(**PHONE).new_page()
            figures |= {f"phone_{name}_{key}": value for key, value in vitals(page, site + path)}
        browser.close()
    return figures


def weigh(page: "Page", url: str) -> "Counter[str]":
    """Open a page and scroll through it; return the bytes on the network by type of resource."""
    devtools = page.context.new_cdp_session(page)
    types: dict[str, str] = {}
    weight: Counter[str] = Counter()

    def note_type(event: dict[str, Any]) -> None:
        types[event["requestId"]] = event["type"]

    def note_length(event: dict[str, Any]) -> None:
        weight[types.get(event["requestId"], "Other")] += int(event["encodedDataLength"])

    devtools.on("Network.responseReceived", note_type)
    devtools.on("Network.loadingFinished", note_length)
    devtools.send("Network.enable")
    page.goto(url, wait_until="networkidle")
    page.evaluate(TO_THE_END)
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(500)
    return weight


def vitals(page: "Page", url: str) -> list[tuple[str, float]]:
    """Open a page on a slow phone; return LCP, TBT and CLS as Chromium tells them."""
    devtools: CDPSession = page.context.new_cdp_session(page)
    devtools.send("Network.enable")
    devtools.send("Network.emulateNetworkConditions", {**SLOW_4G, "uploadThroughput": 94_000})
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER_CPU})
    page.goto(url, wait_until="networkidle")
    page.evaluate(VITALS)
    page.wait_for_timeout(500)
    found: dict[str, float] = page.evaluate("vitals")
    return [(name, round(value, 3)) for name, value in found.items()]


def kb(size: int) -> float:
    return round(size / 1000, 1)


if __name__ == "__main__":
    main()
