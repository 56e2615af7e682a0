"""What stays of pictures, for how long, and how much of an account's they may take."""

import datetime
import os
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.conf import settings as site_settings
from django.core.files.storage import default_storage
from django.db import connections
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks, Settings

from swaps import errors, storage
from swaps.clock.retention import purge_failed, sweep_stray
from swaps.clock.rows import BATCH
from swaps.clock.stray_folders import FolderSweep
from swaps.lifecycle import photos
from swaps.lifecycle.remove import remove_swap
from swaps.lifecycle.settle import settle
from swaps.lifecycle.uploads import keep_upload
from swaps.models import AccountStorage, StrayFiles, Swap, Upload, User
from swaps.models.stray_files import ABANDONED_AFTER, Abandoned
from tests.pictures import photo, swap_form
from tests.swap_rows import finished_swap, later, queued_swap

HOUR = 3600


def stored_bytes() -> int:
    media = Path(site_settings.MEDIA_ROOT)
    return sum(path.stat().st_size for path in media.rglob("*") if path.is_file())


def counted(user: User) -> int:
    return AccountStorage.objects.get(user=user).size


def failed_swap(owner: User) -> Swap:
    swap = queued_swap(owner)
    settle(swap, errors.ApiError("broke"))
    return swap


def make_old(*folders: Path) -> None:
    """As if nobody had touched them for two hours; the accounts are older."""
    User.objects.update(date_joined=timezone.now() - datetime.timedelta(days=1))
    long_ago = timezone.now().timestamp() - 2 * HOUR
    for folder in folders:
        os.utime(folder, (long_ago, long_ago))


def go_through_the_folders() -> None:
    sweep = FolderSweep()
    for _ in range(3):
        sweep(timezone.now())


# --- what an account's pictures take --------------------------------------------------------


def test_all_pictures_of_an_account_are_counted_until_they_go(
    alice: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    first, second = finished_swap(alice), queued_swap(alice)
    upload = keep_upload(alice, photo())
    assert counted(alice) == stored_bytes() > 0
    with django_capture_on_commit_callbacks(execute=True):
        remove_swap(first)
        upload.delete()
    assert counted(alice) == stored_bytes() == second.stored_bytes
    remove_swap(second)
    remove_swap(second)
    assert counted(alice) == stored_bytes() == 0


def test_an_upload_that_is_deleted_twice_gives_its_bytes_back_once(alice: User) -> None:
    kept = keep_upload(alice, photo())
    both = [Upload.objects.get(pk=kept.pk) for _ in range(2)]  # two clocks, or two requests
    for again in both:
        again.delete()
    assert counted(alice) == 0


def test_a_full_account_is_told_what_to_do(
    alice: User, as_alice: Client, settings: Settings
) -> None:
    swap = queued_swap(alice)
    settings.FACESWAP_ACCOUNT_BYTES = counted(alice) + 100
    before = stored_bytes()
    answer = as_alice.post("/swaps/new/", swap_form())
    assert answer.status_code == 422
    assert "Delete swaps that you no longer need" in answer.content.decode()
    assert stored_bytes() == before
    remove_swap(swap)
    assert as_alice.post("/swaps/new/", swap_form()).status_code == 302


@pytest.mark.django_db(transaction=True)
def test_calls_at_once_do_not_pass_the_limit_together(settings: Settings) -> None:
    owner = User.objects.create_user("racing@example.com", "correct horse battery")
    one = queued_swap(owner).stored_bytes
    settings.FACESWAP_ACCOUNT_BYTES = 3 * one

    def request(_: int) -> bool:
        try:
            queued_swap(owner)
        except errors.UsedUp:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(request, range(8))) == 2
    assert counted(owner) == stored_bytes() == 3 * one


def test_zero_is_no_limit(alice: User, settings: Settings) -> None:
    settings.FACESWAP_ACCOUNT_BYTES = 0
    queued_swap(alice)
    assert counted(alice) == stored_bytes()


# --- failed swaps ---------------------------------------------------------------------------


def test_pictures_of_a_failed_swap_go_and_its_page_says_so(alice: User, as_alice: Client) -> None:
    swap = failed_swap(alice)
    purge_failed(later(site_settings.FACESWAP_FAILED_HOURS * HOUR - 60))
    assert stored_bytes()
    for _ in range(2):
        purge_failed(later(site_settings.FACESWAP_FAILED_HOURS * HOUR + 60))
    assert stored_bytes() == counted(alice) == 0
    page = as_alice.get(f"/swaps/{swap.pk}/").content.decode()
    assert "Its photos have been removed" in page
    assert "Try again with these photos" not in page
    assert as_alice.get("/swaps/").status_code == 200
    assert as_alice.get(f"/swaps/new/?source={swap.pk}&target={swap.pk}").status_code == 200
    assert (
        as_alice.post(
            "/swaps/new/",
            {"source_photo": f"swap.{swap.pk}", "target_photo": f"swap.{swap.pk}", "consent": "on"},
        )
        .content.decode()
        .count("Choose a")
        >= 2
    )
    remove_swap(swap)
    assert counted(alice) == 0


def test_pictures_of_other_swaps_stay(alice: User) -> None:
    finished_swap(alice)
    queued_swap(alice)
    before = stored_bytes()
    purge_failed(later(1000 * HOUR))
    assert stored_bytes() == before


# --- files that no row names ----------------------------------------------------------------


def test_what_a_killed_process_wrote_is_removed_by_the_clock(alice: User) -> None:
    writing = photos.store_photos(alice, {f"swaps/{uuid.uuid4()}/source.jpg": photo()})
    stray = writing.__enter__()  # and never comes back
    assert stray
    assert counted(alice) == stored_bytes() > 0
    sweep_stray(later(ABANDONED_AFTER.total_seconds() - 60))
    assert stored_bytes()
    for _ in range(2):
        sweep_stray(later(ABANDONED_AFTER.total_seconds() + 60))
    assert counted(alice) == stored_bytes() == StrayFiles.objects.count() == 0
    with pytest.raises(Abandoned):
        stray.claim()


def test_a_row_that_claims_its_files_keeps_them(alice: User) -> None:
    queued_swap(alice)
    before = stored_bytes()
    sweep_stray(later(100 * HOUR))
    assert stored_bytes() == before
    assert not StrayFiles.objects.exists()


def test_a_result_that_comes_after_its_account_is_removed_by_the_clock(alice: User) -> None:
    swap = queued_swap(alice)
    late = storage.key_for("swaps", swap.pk, "result", ".jpg")
    alice.delete()
    storage.put(late, b"stored by a worker that was killed then")
    sweep_stray(later(2 * site_settings.FACESWAP_LEASE_SECONDS + 1))
    assert stored_bytes() == 0


def test_sweeping_is_bounded_and_asks_little(
    alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(BATCH + 5):
        StrayFiles.objects.record(alice, [f"swaps/{uuid.uuid4()}/source.jpg"], 1)
    sweep_stray(later(2 * HOUR))
    assert StrayFiles.objects.count() == 5
    with django_assert_max_num_queries(1):
        sweep_stray(timezone.now())


def test_folders_that_earlier_versions_left_are_removed(alice: User) -> None:
    media = Path(site_settings.MEDIA_ROOT)
    swap = queued_swap(alice)
    orphan, empty = media / "swaps" / str(uuid.uuid4()), media / "swaps" / str(uuid.uuid4())
    part, fresh = media / "writing" / "half", media / "uploads" / str(uuid.uuid4())
    for folder in (orphan, empty, fresh):
        folder.mkdir(parents=True)
    (orphan / "source.jpg").write_bytes(b"no row names this")
    part.write_bytes(b"half a")
    make_old(orphan, empty, part, media / "swaps" / str(swap.pk))
    go_through_the_folders()
    assert not any(path.exists() for path in (orphan, empty, part))
    assert fresh.exists()
    assert default_storage.exists(swap.source_key)


def test_pictures_of_another_database_are_left_alone(alice: User) -> None:
    folder = Path(site_settings.MEDIA_ROOT) / "swaps" / str(uuid.uuid4())
    folder.mkdir(parents=True)
    (folder / "source.jpg").write_bytes(b"of the site before")
    make_old(folder)
    User.objects.update(date_joined=timezone.now())
    go_through_the_folders()
    assert folder.exists()


def test_the_last_file_takes_its_folder_with_it(alice: User) -> None:
    swap = finished_swap(alice)
    folder = Path(site_settings.MEDIA_ROOT) / "swaps" / str(swap.pk)
    assert folder.exists()
    remove_swap(swap)
    assert not folder.exists()
