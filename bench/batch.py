"""Benchmark of a batch: its form, its pace, its progress, and who comes meanwhile.

One worker, 20 photos of 1 MP, while somebody else requests single swaps.
"""

import datetime
import io
import re
import shutil
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING

from django.core.files.uploadedfile import SimpleUploadedFile

from bench import _setup

if TYPE_CHECKING:
    from django.test import Client

    from swaps.models import Batch, User

PHOTOS = 20
SINGLES = 3  # of somebody else, while the batch is at work
PAUSE_SECONDS = 0.3  # between two polls, as the page does


def main() -> None:
    environment = _setup.prepare()
    from django.test.utils import setup_test_environment

    from swaps.models import User
    from tests.crash import DEMO, running_site

    setup_test_environment()
    owner = User.objects.create_user("batch@example.com")
    other = User.objects.create_user("other@example.com")
    figures: dict[str, object] = {
        f"form_without_scripts_{megapixels:g}_mp_s": send_files(owner, DEMO, megapixels)
        for megapixels in (1.0, 12.0)
    }
    with running_site(environment):
        figures |= measure_batch(owner, other, DEMO)
    _setup.report("batch", figures)
    shutil.rmtree(environment["FACESWAP_VAR"], ignore_errors=True)


def send_files(owner: "User", folder: Path, megapixels: float) -> float:
    """Return the seconds of a form that brings all its files; nobody works on its swaps."""
    from swaps.lifecycle.batch import remove_batch
    from swaps.models import PhotoCount
    from tests.crash import load

    client = signed_in_client(owner)
    data = load(folder / "1-photo.jpg", megapixels).data
    files = [SimpleUploadedFile(f"{number}.jpg", data) for number in range(PHOTOS)]
    face = io.BytesIO((folder / "1-face.jpg").read_bytes())
    PhotoCount.objects.all().delete()
    begun = time.perf_counter()
    answer = client.post(
        "/batches/new/", {"source_image": face, "target_images": files, "consent": "on"}
    )
    seconds = time.perf_counter() - begun
    remove_batch(_batch_at(answer["Location"]))
    return round(seconds, 2)


def measure_batch(owner: "User", other: "User", folder: Path) -> dict[str, object]:
    from swaps.lifecycle.request import request_swap
    from swaps.lifecycle.uploads import keep_upload
    from swaps.models import Swap
    from tests.crash import load

    face, photo = load(folder / "1-face.jpg", 1.0), load(folder / "1-photo.jpg", 1.0)
    ids = [str(keep_upload(owner, one).pk) for one in (face, *[photo] * PHOTOS)]
    _wait_until_looked_at(owner)
    client = signed_in_client(owner)
    begun = time.perf_counter()
    answer = client.post("/batches/new/", {"source_photo": ids[0], "photo": ids[1:]})
    submitted = time.perf_counter() - begun
    batch = _batch_at(answer["Location"])
    singles: list[Swap] = []
    progress = [_percent(client, batch)]
    while progress[-1] is not None:
        time.sleep(PAUSE_SECONDS)
        progress.append(_percent(client, batch))
        if len(singles) < SINGLES and (progress[-1] or 0) >= 20 * (len(singles) + 1):
            singles.append(request_swap(other, face, photo))
    shown = [percent for percent in progress if percent is not None]
    ends = [swap.finished_at for swap in batch.swaps.all()]
    assert all(swap.is_succeeded for swap in batch.swaps.all())
    waits = []
    for swap in singles:
        swap.refresh_from_db()
        assert swap.seconds
        waits.append(swap.seconds)
    return {
        "submit_with_ids_s": round(submitted, 2),
        "batch_of_20_1_mp_s": round(
            (max(filter(None, ends)) - batch.created_at).total_seconds(), 1
        ),
        "percents_seen": sorted(set(shown)),
        "progress_never_went_back": shown == sorted(shown),
        "single_meanwhile_median_s": round(statistics.median(waits), 2),
        "single_meanwhile_max_s": round(max(waits), 2),
    }


def signed_in_client(owner: "User") -> "Client":
    """Return a client of this account, which has consented."""
    from django.test import Client

    client = Client()
    client.force_login(owner, backend="allauth.account.auth_backends.AuthenticationBackend")
    session = client.session
    session["consented_at"] = datetime.datetime.now(datetime.UTC).isoformat()
    session.save()
    return client


def _batch_at(url: str) -> "Batch":
    from swaps.models import Batch

    return Batch.objects.get(pk=url.rstrip("/").rpartition("/")[2])


def _percent(client: "Client", batch: "Batch") -> int | None:
    """Return what the bar of the page shows; None once it has gone."""
    page = client.get(f"/batches/{batch.pk}/").content.decode()
    found = re.search(r'<progress max="100" value="(\d+)"', page)
    return int(found[1]) if found else None


def _wait_until_looked_at(owner: "User") -> None:
    from swaps.models import Look, Upload
    from tests.running import wait_until

    looking = Upload.objects.filter(owner=owner, look=Look.LOOKING)
    assert wait_until(lambda: not looking.exists(), 60)


if __name__ == "__main__":
    main()
