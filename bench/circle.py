"""Benchmark from click to painted picture through browser, site, S3, hosted provider and callback.

The provider is a second instance of the site. ``make bench BENCHES=circle``; ``REPEATS=50`` for
more than twenty.
"""

import contextlib
import json
import os
import re
import statistics
import tempfile
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Error, Page, sync_playwright

from bench import _setup
from tests.e2e.visitor import Visitor
from tests.parts import PARTS
from tests.paths import SOURCE, TARGET
from tests.running import free_port
from tests.running_site import RunningSite, running_site
from tests.s3_server import own_bucket

REPEATS = int(os.environ.get("REPEATS", "20"))
# Timestamps in the rows of each swap that succeeded.
ROWS = """
import json
from swaps.models import Submission
rows = Submission.objects.filter(swap__owner__email="{email}", swap__status="succeeded")
print(json.dumps([
    [moment.timestamp() for moment in row]
    for row in rows.values_list("swap__created_at", "sent_at", "answered_at", "swap__finished_at")
]))
"""
UPLOAD = re.compile(r"POST /swaps/new/ 302 \d+ bytes (\d+) ms")
STEPS = ("created_to_sent", "sent_to_answered", "answered_to_finished")


def main() -> None:
    found = {part: PARTS[part]() for part in ("chromium", "s3")}
    if missing := [name for path, name in found.values() if not path]:
        _setup.report("circle", {"circle": f"SKIPPED: {', '.join(missing)}"})
        return
    with tempfile.TemporaryDirectory(prefix="faceswap-bench-") as folder, circle(folder) as site:
        figures = measure(site, found["chromium"][0] or "")
    _setup.report("circle", figures)


@contextlib.contextmanager
def circle(folder: str) -> Iterator[RunningSite]:
    """Run the site with the provider behind it."""
    port = free_port()
    s3_host = urlsplit(os.environ["TEST_AWS_S3_ENDPOINT_URL"]).netloc
    provider_environment = {
        "DJANGO_SETTINGS_MODULE": "faceswap_site.settings",
        "AWS_STORAGE_BUCKET_NAME": "",
        "FACESWAP_API_KEY": "",
        "FACESWAP_FETCH_ALLOW": f"127.0.0.1:{port}, {s3_host}",
        "FACESWAP_HOSTED_KEY": "",
        "FACESWAP_PROVIDER": "embedded",
    }
    with (
        own_bucket() as bucket,
        running_site(_new_folder(folder, "provider"), environment=provider_environment) as provider,
    ):
        key = provider.manage("create_api_key", "site@example.com", "--create", "--quota", "1000")
        site_environment = {
            name.removeprefix("TEST_"): value
            for name, value in os.environ.items()
            if name.startswith("TEST_AWS_")
        } | {
            "AWS_STORAGE_BUCKET_NAME": bucket,
            "DJANGO_SETTINGS_MODULE": "faceswap_site.settings",
            "FACESWAP_HOSTED_KEY": key.strip(),
            "FACESWAP_HOSTED_RESULT_HOSTS": urlsplit(provider.url).netloc,
            "FACESWAP_HOSTED_URL": provider.url,
            "FACESWAP_PROVIDER": "hosted",
        }
        with running_site(
            _new_folder(folder, "site"), port=port, environment=site_environment
        ) as site:
            yield site


def measure(site: RunningSite, chromium: str) -> dict[str, object]:
    seconds = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        visitor = Visitor(site, browser.new_context())
        visitor.sign_up("bench")
        for _ in range(REPEATS):
            with contextlib.suppress(Error):  # counts as a failure
                seconds.append(click_to_picture(visitor.open("/swaps/new/")))
        wrongs = visitor.wrongs
        browser.close()
    rows = site.run(ROWS.format(email=visitor.email))
    return {
        "successes": f"{len(seconds)} of {REPEATS}",
        "wrong_in_the_browser": len(wrongs),
        "click_to_picture_median_s": _median(seconds),
        "click_to_picture_p95_s": _p95(seconds),
        "upload_median_s": _median([int(ms) / 1000 for ms in UPLOAD.findall(site.read_log())]),
        **breakdown(json.loads(rows)),
    }


def click_to_picture(page: Page) -> float:
    """Submit the form, and return the seconds until the result is painted."""
    page.locator("#id_source_image").set_input_files(SOURCE)
    page.locator("#id_target_image").set_input_files(TARGET)
    if page.locator("#id_consent").count():
        page.locator("#id_consent").check()
    begun = time.perf_counter()
    page.get_by_role("button", name="Swap faces").click()
    image = page.locator("[data-compare] .after img")
    image.wait_for()
    image.evaluate("i => i.decode()")
    return time.perf_counter() - begun


def breakdown(rows: list[list[float]]) -> dict[str, object]:
    """Return the median seconds between the timestamps in the rows.

    Upload, poll and painting are not in.
    """
    steps = [[later - earlier for earlier, later in pairwise(row)] for row in rows]
    return {
        f"{name}_median_s": _median([step[number] for step in steps])
        for number, name in enumerate(STEPS)
    }


def _new_folder(folder: str, name: str) -> Path:
    made = Path(folder) / name
    made.mkdir()
    return made


def _median(seconds: list[float]) -> float | None:
    return round(statistics.median(seconds), 2) if seconds else None


def _p95(seconds: list[float]) -> float | None:
    return round(statistics.quantiles(seconds, n=20)[-1], 2) if len(seconds) > 1 else None


if __name__ == "__main__":
    main()
