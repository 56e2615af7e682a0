"""Benchmark of a full disk: for a minute it has not one byte left, while 20 swaps wait.

The site runs on a file system of 128 MB (Linux, as root). Meanwhile pages are read, somebody signs
in, and somebody requests a swap.
"""

import re
import sys
import tempfile
import time
from collections import Counter, defaultdict
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

import requests

from bench import _setup
from bench._server import free_port, whole_site
from tests.small_disk import SmallDisk, small_disk

if TYPE_CHECKING:
    from swaps.models import User

SWAPS = 20
FULL_SECONDS = 60.0
PASSWORD = "correct horse battery"
Statuses = dict[str, Counter[int]]


def main() -> None:
    with small_disk(128) as disk, tempfile.TemporaryDirectory() as logs:
        log = Path(logs) / "up.log"
        figures = measure(disk, log)
        text = log.read_text()
    figures["processes started again"] = len(re.findall("starting it again", text))
    figures["site gave up"] = "giving up" in text
    _setup.report("disk_full", figures)
    sys.exit(0 if figures["succeeded"] == SWAPS else "Not all swaps were made.")


def measure(disk: SmallDisk, log: Path) -> dict[str, object]:
    environment = _setup.prepare(
        FACESWAP_VAR=str(disk.root / "var"), FACESWAP_MIN_FREE_MB="20", FACESWAP_LEASE_SECONDS="10"
    )
    from swaps.models import Status, Swap, User
    from swaps.storage import copy_keys
    from tests.crash import request_slow_swap
    from tests.running import wait_until

    owner = User.objects.create_user("full@example.com", PASSWORD)
    other = User.objects.create_user("other@example.com", PASSWORD)
    port = free_port()
    statuses: Statuses = defaultdict(Counter)
    with whole_site(environment, port, log):
        site = f"http://127.0.0.1:{port}"
        reader = sign_in(site, owner)
        swaps = [request_slow_swap(owner) for _ in range(SWAPS)]
        made_before = Swap.objects.filter(status=Status.SUCCEEDED).count()
        begun, rounds = time.monotonic(), 0
        while time.monotonic() < begun + FULL_SECONDS:
            disk.fill()
            visit(site, reader, swaps[0].pk, statuses)
            if rounds % 4 == 0:  # a minute allows 30 attempts
                try_to_sign_in(site, other, statuses)
            rounds += 1
            time.sleep(1)
        disk.free()
        freed = time.monotonic()
        mine = Swap.objects.filter(pk__in=[swap.pk for swap in swaps])
        is_done = wait_until(lambda: _count_unfinished(mine) == 0, 120)
    media = disk.root / "var" / "media"
    files = {str(path.relative_to(media)) for path in media.rglob("*") if path.is_file()}
    keys = [key for swap in mine for key in (swap.source_key, swap.target_key, swap.result_key)]
    named = [name for key in keys for name in (key, *copy_keys(key))]
    return {
        "swaps": SWAPS,
        "made before it was full": made_before,
        "full for s": FULL_SECONDS,
        "succeeded": mine.filter(status=Status.SUCCEEDED).count(),
        "all done after s": round(time.monotonic() - freed, 1) if is_done else None,
        "files that no row names": len(files - set(named)),
        **{f"while full: {name}": str(dict(counts)) for name, counts in statuses.items()},
    }


def _count_unfinished(mine: object) -> int:
    from django.db import Error

    try:
        return int(mine.unfinished().count())  # type: ignore[attr-defined]
    except Error:
        return -1


def sign_in(site: str, user: "User") -> requests.Session:
    session = requests.Session()
    answer = session.get(f"{site}/accounts/login/", timeout=30)
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', answer.text)
    if answer.status_code != HTTPStatus.OK or token is None:
        raise RequestRefused(answer.status_code)
    form = {"login": user.email, "password": PASSWORD, "csrfmiddlewaretoken": token[1]}
    answer = session.post(
        f"{site}/accounts/login/",
        form,
        timeout=30,
        allow_redirects=False,
        headers={"Referer": site},
    )
    if answer.status_code != HTTPStatus.FOUND:
        raise RequestRefused(answer.status_code)
    return session


class RequestRefused(Exception):
    """The site answered with an error; ``args[0]`` is the status."""


def visit(site: str, reader: requests.Session, pk: object, statuses: Statuses) -> None:
    for path in ("/", "/swaps/", f"/swaps/{pk}/", f"/swaps/{pk}/thumb/source/", "/swaps/new/"):
        name = path.replace(str(pk), "…")
        statuses[f"GET {name}"][request_status(reader, "GET", f"{site}{path}")] += 1
    statuses["GET /healthz"][request_status(reader, "GET", f"{site}/healthz")] += 1
    photo = (_setup.ROOT / "static" / "img" / "demo" / "1-face.jpg").read_bytes()
    statuses["POST /swaps/new/"][
        request_status(
            reader,
            "POST",
            f"{site}/swaps/new/",
            data={"consent": "on", "csrfmiddlewaretoken": reader.cookies["csrftoken"]},
            files={"source_image": photo, "target_image": photo},
        )
    ] += 1


def try_to_sign_in(site: str, user: "User", statuses: Statuses) -> None:
    try:
        sign_in(site, user)
    except RequestRefused as refused:
        statuses["sign-in"][refused.args[0]] += 1
    except requests.RequestException:
        statuses["sign-in"][0] += 1
    else:
        statuses["sign-in"][302] += 1


def request_status(session: requests.Session, method: str, url: str, **options: object) -> int:
    """Return the status of a response; 0 when there is none."""
    try:
        answer = session.request(method, url, timeout=30, allow_redirects=False, **options)  # type: ignore[arg-type]
    except requests.RequestException:
        return 0
    return answer.status_code


if __name__ == "__main__":
    main()
