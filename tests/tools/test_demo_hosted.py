"""``make demo-hosted``: two sites start as one, the demo swaps succeed, and nothing is left."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests import evidence
from tests.parts import PARTS
from tests.paths import ROOT
from tests.running import wait_until
from tests.s3_server import own_bucket
from tools import demo_hosted, demo_s3

PHOTOS = ROOT / "static" / "img" / "demo"
READY = re.compile(r"^up +\| Ready on (\S+) for (\S+) with the password (\S+)$", re.MULTILINE)
TAKEN = re.compile(r"site +\| courier .* taken by the provider")


@dataclass(frozen=True, kw_only=True)
class Demo:
    folder: Path
    port: int
    log: Path
    process: "subprocess.Popen[bytes]"

    def read_log(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")


@pytest.fixture
def s3() -> Iterator[dict[str, str]]:
    """A bucket in the environment, where the tests have an S3 server. None is started for this."""
    found, _ = PARTS["s3"]()
    if not found:
        yield {}
        return
    with own_bucket() as bucket:
        given = {name: value for name, value in os.environ.items() if name.startswith("TEST_AWS_")}
        yield {name.removeprefix("TEST_"): value for name, value in given.items()} | {
            "AWS_STORAGE_BUCKET_NAME": bucket
        }


@contextlib.contextmanager
def running_demo(folder: Path, port: int, s3: dict[str, str]) -> Iterator[Demo]:
    log = folder.with_suffix(".log")
    command = [sys.executable, "-m", "tools.demo_hosted", "--port", str(port)]
    command += ["--folder", str(folder), *([] if s3 else ["--on-disk"])]
    with log.open("wb") as file:
        process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | s3, stdout=file, stderr=subprocess.STDOUT
        )
    try:
        with evidence.keeping_log("demo", log):
            yield Demo(folder=folder, port=port, log=log, process=process)
    finally:
        process.kill()
        process.wait()


def two_free_ports() -> int:
    return demo_s3.free_ports(20_000 + os.getpid() % 10_000, 2)


def descendants(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [int(child) for child in children] + [
        pid for child in children for pid in descendants(int(child))
    ]


class Browser(requests.Session):
    """Enough of one to sign in and send two photos."""

    def __init__(self, site: str) -> None:
        super().__init__()
        self.trust_env = False
        self.site = site

    def read(self, path: str) -> str:
        return self.get(self.site + path, timeout=60).text

    def submit(self, path: str, files: dict[str, Path] | None = None, **fields: str) -> None:
        token = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', self.read(path))[-1]
        answer = self.post(
            self.site + path,
            data={"csrfmiddlewaretoken": token, **fields},
            files={name: (file.name, file.read_bytes()) for name, file in (files or {}).items()},
            allow_redirects=False,
            timeout=60,
        )
        assert answer.status_code == 302, answer.text


def test_the_circle_turns_and_nothing_is_left_of_it(tmp_path: Path, s3: dict[str, str]) -> None:
    port = two_free_ports()
    with running_demo(tmp_path / "demo", port, s3) as demo:
        assert wait_until(lambda: bool(READY.search(demo.read_log())), 180), demo.read_log()
        [(site, email, password)] = READY.findall(demo.read_log())
        browser = Browser(site)
        browser.submit("/accounts/login/", login=email, password=password)
        photos = {"source_image": PHOTOS / "1-face.jpg", "target_image": PHOTOS / "1-photo.jpg"}
        browser.submit("/swaps/new/", photos, consent="on")

        def has_succeeded() -> bool:
            [swap, *_] = re.findall(
                r'<li id="swap-\S+" class="card (\w+)"', browser.read("/swaps/")
            )
            return bool(swap == "succeeded")

        assert wait_until(has_succeeded), demo.read_log()
        assert wait_until(lambda: len(TAKEN.findall(demo.read_log())) == 1), demo.read_log()
        family = descendants(demo.process.pid)
        assert len(family) >= 10  # of each site: up, web with its processes, worker, courier, clock

        demo.process.send_signal(signal.SIGINT)

        assert demo.process.wait(timeout=60) == 0, demo.read_log()
        assert [pid for pid in family if Path(f"/proc/{pid}").exists()] == []
        assert demo_s3.free_ports(port, 2) == port
    keeps_the_key_as_long_as_it_works(demo)


def keeps_the_key_as_long_as_it_works(demo: Demo) -> None:
    """As the next start finds it."""
    provider = demo_hosted.provider_instance(demo.folder, demo.port, {})
    file = demo.folder / "provider-key"
    key = file.read_text(encoding="utf-8")

    demo_hosted.acquire_key(provider, file)
    assert file.read_text(encoding="utf-8") == key

    file.write_text("fs_of-another-database", encoding="utf-8")
    demo_hosted.acquire_key(provider, file)
    assert file.read_text(encoding="utf-8").startswith("fs_")
    assert "another" not in file.read_text(encoding="utf-8")
    assert file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(("offset", "name"), [(0, "site"), (1, "provider")])
def test_a_port_that_is_taken_is_said_before_anything_is_made(
    tmp_path: Path, offset: int, name: str
) -> None:
    port = two_free_ports()
    with (
        socket.create_server(("127.0.0.1", port + offset)),
        running_demo(tmp_path / "demo", port, {}) as demo,
    ):
        assert demo.process.wait(timeout=60) == 1
        assert demo.read_log().startswith(f"Port {port + offset}, for the {name}, is taken.")
    assert [path.name for path in demo.folder.iterdir()] == [".lock"]


def test_two_in_one_folder_are_refused(tmp_path: Path) -> None:
    with (
        demo_hosted.locked_folder(tmp_path / "demo"),
        running_demo(tmp_path / "demo", two_free_ports(), {}) as second,
    ):
        assert second.process.wait(timeout=60) == 1
        assert "It runs already" in second.read_log()
