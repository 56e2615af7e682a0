"""Benchmark of S3 storage: overhead over plain boto3, and a web process's memory in uploads."""

import bisect
import io
import os
import re
import shutil
import statistics
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import requests

from bench import _setup
from bench._server import free_port, web_server
from bench.web import child_pids, signed_in_client

if TYPE_CHECKING:
    from PIL import Image

    from swaps.models import User

ROUNDS = 200
SECONDS = 3600
MAX_BYTES = 20_000_000
PHOTO = _setup.ROOT / "tests" / "photos" / "face-woman-smiling-frontal.jpg"
# Megapixels of the target photo, in a file as large as allowed; of the source photo; the format.
UPLOADS = {
    "12_mp": (12, 0, "JPEG"),
    "24_mp": (24, 0, "JPEG"),
    "50_mp": (50, 0, "JPEG"),
    "12_mp_twice": (12, 12, "JPEG"),
    "24_mp_twice": (24, 24, "JPEG"),
    "50_mp_webp": (50, 0, "WEBP"),
}


def main() -> None:
    from tests.parts import can_reach

    bucket = {
        name.removeprefix("TEST_"): value
        for name, value in os.environ.items()
        if name.startswith("TEST_AWS_")
    }
    if not bucket or not can_reach(bucket["AWS_S3_ENDPOINT_URL"]):
        _setup.report("storage", {"storage": "SKIPPED: S3 (set TEST_AWS_S3_ENDPOINT_URL)"})
        return
    figures: dict[str, object] = {"load_average_before": round(os.getloadavg()[0], 1)}
    environment = _setup.prepare(**bucket)
    figures |= measure_round()
    figures |= measure_uploads(environment)
    _setup.report("storage", figures)
    shutil.rmtree(environment["FACESWAP_VAR"], ignore_errors=True)


# --- put, presign, get ----------------------------------------------------------------------------


def measure_round() -> dict[str, object]:
    """Measure both in alternation, so that they meet the same conditions of the machine."""
    from swaps import storage

    data = small_photo()
    key = f"bench/{uuid.uuid4()}.jpg"
    rounds = {"ours": our_round(key, data), "boto3": plain_round(key, data)}
    seconds: dict[str, list[float]] = {name: [] for name in rounds}
    for number in range(ROUNDS + 10):
        for name in sorted(rounds, reverse=bool(number % 2)):
            begun = time.perf_counter()
            rounds[name]()
            if number >= 10:
                seconds[name].append(time.perf_counter() - begun)
    storage.delete([key])
    ours, plain = (1000 * statistics.median(seconds[name]) for name in ("ours", "boto3"))
    return {
        "picture_kb": len(data) // 1000,
        "rounds": ROUNDS,
        "ours_put_presign_get_p50_ms": round(ours, 2),
        "boto3_put_presign_get_p50_ms": round(plain, 2),
        "ours_to_boto3": round(ours / plain, 3),
    }


def our_round(key: str, data: bytes) -> Callable[[], None]:
    from swaps import storage

    def once() -> None:
        storage.put(key, data)
        storage.presigned_url(key, SECONDS)
        assert len(storage.read(key)) == len(data)

    return once


def plain_round(key: str, data: bytes) -> Callable[[], None]:
    """Return the same round written with boto3 alone, with the same parameters."""
    import boto3
    from botocore.config import Config
    from django.core.files.storage import storages

    store = storages["default"]
    parameters = store.get_object_parameters(key)  # type: ignore[attr-defined]
    bucket = os.environ["AWS_STORAGE_BUCKET_NAME"]
    client = boto3.client(
        "s3",
        endpoint_url=os.environ["AWS_S3_ENDPOINT_URL"],
        region_name=os.environ["AWS_S3_REGION_NAME"],
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )

    def once() -> None:
        client.put_object(Bucket=bucket, Key=key, Body=data, **parameters)
        where = {"Bucket": bucket, "Key": key}
        client.generate_presigned_url("get_object", Params=where, ExpiresIn=SECONDS)
        assert len(client.get_object(Bucket=bucket, Key=key)["Body"].read()) == len(data)

    return once


# --- memory ---------------------------------------------------------------------------------------


def measure_uploads(environment: dict[str, str]) -> dict[str, object]:
    from swaps.lifecycle.remove import remove_swap
    from swaps.models import Swap, User

    owner = User.objects.create_user("bench@example.com")
    figures: dict[str, object] = {}
    for name, (target, source, kind) in UPLOADS.items():
        photos = {
            "source_image": noisy_photo(source, kind) if source else small_photo(),
            "target_image": noisy_photo(target, kind),
        }
        idle, peak = memory_of_upload(environment, owner, photos)
        figures |= {
            f"upload_{name}_mb": round(sum(map(len, photos.values())) / 1e6, 1),
            f"upload_{name}_idle_mb": idle,
            f"upload_{name}_peak_above_idle_mb": round(peak - idle, 1),
        }
    for swap in Swap.objects.filter(owner=owner):
        remove_swap(swap)
    return figures


def memory_of_upload(
    environment: dict[str, str], owner: "User", photos: dict[str, bytes]
) -> tuple[float, float]:
    """Return a web process's memory in MB, idle and at its peak during an upload.

    It has served pages and an upload before.
    """
    port = free_port()
    with web_server(environment, port, workers=1) as master:
        (pid,) = child_pids(master)
        site = requests.Session()
        site.cookies.set("sessionid", signed_in_client(owner).cookies["sessionid"].value)
        address = f"http://127.0.0.1:{port}"
        for path in ("/", "/swaps/", "/swaps/new/", "/healthz") * 5:
            site.get(address + path, timeout=30)
        submit(site, address, {"source_image": small_photo(), "target_image": small_photo()})
        time.sleep(1)
        idle = status_mb(pid, "VmRSS")
        Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")
        submit(site, address, photos)
        return idle, status_mb(pid, "VmHWM")


def submit(site: requests.Session, address: str, photos: dict[str, bytes]) -> None:
    page = site.get(f"{address}/swaps/new/", timeout=30).text
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token
    answer = site.post(
        f"{address}/swaps/new/",
        data={"csrfmiddlewaretoken": token[1], "consent": "on"},
        files={name: (f"{name}.jpg", data, "image/jpeg") for name, data in photos.items()},
        headers={"Referer": address},
        allow_redirects=False,
        timeout=120,
    )
    assert answer.status_code == 302, answer.text[:2000]


def status_mb(pid: int, field: str) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    found = re.search(rf"{field}:\s+(\d+) kB", status)
    assert found
    return round(int(found[1]) / 1024, 1)


# --- pictures -------------------------------------------------------------------------------------


def small_photo() -> bytes:
    """Return a JPEG of about 300 KB."""
    return _encoded(_photo(1.0), 92)


def noisy_photo(megapixels: float, kind: str = "JPEG") -> bytes:
    """Return a noisy photo in the best quality that stays below 20 MB."""
    from PIL import Image

    image = _photo(megapixels)
    noise = Image.effect_noise(image.size, 80).convert("RGB")
    image = Image.blend(image, noise, 0.6)
    # JPEG without chroma subsampling; for WebP the fastest method is good enough.
    options: dict[str, object] = {"subsampling": "4:4:4"} if kind == "JPEG" else {"method": 0}

    def size_in(quality: int) -> int:
        return len(_encoded(image, quality, kind, **options))

    qualities = range(1, 101)
    best = qualities[bisect.bisect_right(qualities, MAX_BYTES, key=size_in) - 1]
    return _encoded(image, best, kind, **options)


def _photo(megapixels: float) -> "Image.Image":
    from PIL import Image

    with Image.open(PHOTO) as photo:
        scale = (megapixels * 1e6 / (photo.width * photo.height)) ** 0.5
        return photo.convert("RGB").resize(
            (round(photo.width * scale), round(photo.height * scale))
        )


def _encoded(image: "Image.Image", quality: int, kind: str = "JPEG", **more: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, quality=quality, **more)
    return out.getvalue()


if __name__ == "__main__":
    main()
