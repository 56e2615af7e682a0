"""Benchmark of memory and CPU under decompression bombs, while 12-megapixel swaps are made.

``--baseline DIR`` measures another checkout in the same run, with the same files.
"""

import argparse
import contextlib
import io
import os
import re
import secrets
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import requests
from PIL import Image

from bench import _setup
from bench._server import free_port, is_healthy

BOMBS = 8
UNCONSENTED_FORMS = 16
ROUNDS = 3
SAMPLE_SECONDS = 0.05
DEMO = _setup.ROOT / "static" / "img" / "demo"
HIDDEN = re.compile(r'type="hidden" name="(\w+)" value="([^"]*)"')
NEWEST_CARD = re.compile(r'<li id="swap-[^"]*" class="card (\w+)"')
TICKS = os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--baseline", type=Path, help="another checkout of the site")
    baseline = parser.parse_args().baseline
    figures: dict[str, object] = {}
    if baseline:
        figures |= {f"baseline_{name}": value for name, value in measure(baseline).items()}
    figures |= measure(_setup.ROOT)
    _setup.report("decode", figures)


def measure(checkout: Path) -> dict[str, object]:
    with running(checkout.resolve()) as site:
        visitors = [site.visitor() for _ in range(BOMBS + 1)]
        honest, others = visitors[0], visitors[1:]
        honest.swap()  # warm up
        figures: dict[str, object] = {"idle_mb": round(site.memory_mb())}
        with site.watching() as peak:
            alone = [honest.swap() for _ in range(ROUNDS)]
        figures |= {
            "swap_12_mp_alone_s": round(statistics.median(alone), 2),
            "swap_12_mp_alone_peak_mb": round(peak.megabytes),
        }
        for name, size in (("38_bytes", 38), ("16_kb", 16_000)):
            seconds, statuses = [], Counter[int]()
            with site.watching() as peak, ThreadPoolExecutor(BOMBS) as pool:
                for _ in range(ROUNDS):
                    sent = [
                        pool.submit(each.form_without_consent, webp_bomb(size)) for each in others
                    ]
                    seconds.append(honest.swap())
                    statuses.update(each.result() for each in sent)
            median = statistics.median(seconds)
            figures |= {
                f"bombs_{name}_peak_mb": round(peak.megabytes),
                f"bombs_{name}_swap_12_mp_s": round(median, 2),
                f"bombs_{name}_times_alone": round(median / statistics.median(alone), 2),
                f"bombs_{name}_statuses": str(dict(statuses)),
            }
        for name, size in (("38_bytes", 38), ("16_kb", 16_000)):
            begun = site.cpu_seconds()
            spammer = site.visitor()
            with ThreadPoolExecutor(4) as pool:
                statuses = Counter(
                    pool.map(spammer.form_without_consent, [webp_bomb(size)] * UNCONSENTED_FORMS)
                )
            figures |= {
                f"unpaid_forms_{name}_cpu_s": round(site.cpu_seconds() - begun, 1),
                f"unpaid_forms_{name}_statuses": str(dict(statuses)),
            }
    return figures


def webp_bomb(size: int, width: int = 8000, height: int = 6250) -> bytes:
    """Return a lossless WebP of 50 megapixels in one colour.

    Pixels take no bits, the rest is padding.
    """
    bits = 0x2F | (width - 1) << 8 | (height - 1) << 22
    codes = sum(1 << (43 + 4 * number) for number in range(5))
    payload = (bits | codes).to_bytes(size - 20, "little")
    chunk = b"WEBPVP8L" + struct.pack("<I", len(payload)) + payload
    return b"RIFF" + struct.pack("<I", len(chunk)) + chunk


def photo_of_12_mp() -> bytes:
    out = io.BytesIO()
    with Image.open(DEMO / "1-photo.jpg") as photo:
        scale = (12e6 / (photo.width * photo.height)) ** 0.5
        size = (round(photo.width * scale), round(photo.height * scale))
        photo.resize(size).save(out, "JPEG", quality=90)
    return out.getvalue()


@dataclass(kw_only=True)
class Visitor:
    """A signed-in account that sends forms."""

    url: str
    session: str
    large: bytes = field(default_factory=photo_of_12_mp)

    def swap(self) -> float:
        """Swap onto a 12-megapixel photo; return the seconds until the result is in the history."""
        browser = self._browser()
        begun = time.perf_counter()
        small = (DEMO / "1-face.jpg").read_bytes()
        page = self._send(browser, small, self.large, consent="on")
        assert page.status_code == 200, page.status_code
        while (status := NEWEST_CARD.findall(page.text)[0]) != "succeeded":
            assert status in {"queued", "processing"}, status
            time.sleep(0.2)
            page = browser.get(f"{self.url}/swaps/", timeout=60)
        return time.perf_counter() - begun

    def form_without_consent(self, photo: bytes) -> int:
        """Send both photos without the consent, so that no quota is spent; return the status."""
        return self._send(self._browser(), photo, photo).status_code

    def _browser(self) -> requests.Session:
        browser = requests.Session()
        browser.cookies.set("sessionid", self.session)
        return browser

    def _send(
        self, browser: requests.Session, source: bytes, target: bytes, **more: str
    ) -> requests.Response:
        page = browser.get(f"{self.url}/swaps/new/", timeout=60)
        fields = dict(HIDDEN.findall(page.text))
        files = {"source_image": ("a.webp", source), "target_image": ("b.webp", target)}
        url = f"{self.url}/swaps/new/"
        return browser.post(url, {**fields, **more}, files=files, timeout=180)


@dataclass(kw_only=True)
class Peak:
    """The highest memory use so far."""

    megabytes: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Site:
    """A running site, measured from outside."""

    checkout: Path
    environment: Mapping[str, str]
    supervisor: int
    url: str

    def visitor(self) -> Visitor:
        """Create an account with the checkout's own code, and sign in."""
        program = (
            "from django.test import Client; from swaps.models import User\n"
            f"user = User.objects.create_user('{secrets.token_hex(8)}@example.com')\n"
            "client = Client()\n"
            "client.force_login(user, 'allauth.account.auth_backends.AuthenticationBackend')\n"
            "print('session', client.cookies['sessionid'].value)"
        )
        output = subprocess.run(
            [sys.executable, "manage.py", "shell", "-c", program],
            cwd=self.checkout,
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        return Visitor(url=self.url, session=output.split("session ")[1].split()[0])

    @contextmanager
    def watching(self) -> Iterator[Peak]:
        """Record the peak memory of all processes of the site while the block runs."""
        peak, is_over = Peak(), threading.Event()

        def watch() -> None:
            while not is_over.wait(SAMPLE_SECONDS):
                peak.megabytes = max(peak.megabytes, self.memory_mb())

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            yield peak
        finally:
            is_over.set()
            watcher.join()

    def memory_mb(self) -> float:
        """Return the proportional set size: memory shared by several processes counts once."""
        return sum(_pss_kb(pid) for pid in _process_tree(self.supervisor)) / 1000

    def cpu_seconds(self) -> float:
        """Return the CPU time of all processes, and of their children that have ended."""
        return sum(_ticks(pid) for pid in _process_tree(self.supervisor)) / TICKS


@contextmanager
def running(checkout: Path) -> Iterator[Site]:
    """Run ``manage.py up`` of a checkout, with an empty database."""
    port, var = free_port(), tempfile.mkdtemp(prefix="faceswap-bench-")
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "faceswap_site.settings",
        "FACESWAP_VAR": var,
        "FACESWAP_MODELS_DIR": str(_setup.ROOT / "var" / "models"),
        "DATABASE_URL": "",
    }
    for command in (("migrate",), ("createcachetable",), ("collectstatic", "--no-input")):
        manage = [sys.executable, "manage.py", *command]
        subprocess.run(manage, cwd=checkout, env=environment, check=True, capture_output=True)
    with (Path(var) / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "up", "--port", str(port)],
            cwd=checkout,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        from tests.running import wait_until

        assert wait_until(lambda: is_healthy(port), 120), (Path(var) / "log").read_text()[-3000:]
        url = f"http://127.0.0.1:{port}"
        yield Site(checkout=checkout, environment=environment, supervisor=process.pid, url=url)
    finally:
        process.terminate()
        process.wait(30)
        shutil.rmtree(var, ignore_errors=True)


def _process_tree(pid: int) -> list[int]:
    """Return the pid of a process and of all its descendants."""
    found = [pid]
    with contextlib.suppress(OSError):
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            for child in children.read_text(encoding="ascii").split():
                found += _process_tree(int(child))
    return found


def _pss_kb(pid: int) -> int:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return 0
    found = re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)
    return int(found[1]) if found else 0


def _ticks(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return 0
    return sum(map(int, fields[11:15]))  # user and system time, of itself and its children


if __name__ == "__main__":
    main()
