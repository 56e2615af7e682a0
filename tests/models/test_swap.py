"""A swap changes its status by compare-and-set only."""

import datetime

import pytest
from django.conf import settings
from pytest_django import DjangoCaptureOnCommitCallbacks

from swaps import errors, storage
from swaps.clock.steps import tick
from swaps.lifecycle import uploads as kept_uploads
from swaps.lifecycle.remove import remove_swap
from swaps.lifecycle.settle import settle
from swaps.lifecycle.uploads import keep_upload
from swaps.models import Quota, Status, Swap, Upload, User
from swaps.sizes import SIDES
from tests.pictures import photo
from tests.swap_rows import finished, finished_swap, later, queued_swap

pytestmark = pytest.mark.django_db


def test_of_two_workers_one_claims(alice: User) -> None:
    swap = queued_swap(alice)
    twin = Swap.objects.get(pk=swap.pk)
    assert swap.claim()
    assert not twin.claim()
    assert twin.status == Status.PROCESSING
    assert twin.attempts == 1


def test_a_swap_ends_once(alice: User) -> None:
    swap = queued_swap(alice)
    swap.claim()
    settle(swap, finished())
    settle(swap, errors.ApiError("gave_up"))
    swap.refresh_from_db()
    assert swap.status == Status.SUCCEEDED
    assert not swap.error_text
    assert Quota.objects.get_or_grant(alice).spent == 1


def test_a_late_second_result_keeps_the_first_ones_files(alice: User) -> None:
    swap = finished_swap(alice)
    settle(swap, finished("red"))
    assert storage.read(swap.result_key)


def test_a_failed_swap_is_given_back_exactly_once(alice: User) -> None:
    before = Quota.objects.get_or_grant(alice).remaining
    swap = queued_swap(alice)
    assert Quota.objects.get_or_grant(alice).remaining == before - 1
    twin = Swap.objects.get(pk=swap.pk)
    settle(swap, errors.NoFace("source", image="source"))
    settle(twin, errors.NoFace("source", image="source"))
    quota = Quota.objects.get_or_grant(alice)
    assert (quota.remaining, quota.spent) == (before, 0)
    swap.refresh_from_db()
    assert (swap.error_code, swap.error_image) == ("no_face", "source")


def test_a_spent_quota_refuses_and_leaves_nothing_behind(alice: User) -> None:
    Quota.objects.get_or_grant(alice)
    Quota.objects.filter(user=alice).update(remaining=0)
    with pytest.raises(errors.UsedUp):
        queued_swap(alice)
    assert not Swap.objects.exists()
    assert not _files()


def test_an_overdue_swap_is_queued_again_and_done_by_another_worker(alice: User) -> None:
    swap = queued_swap(alice)
    swap.claim()
    tick(later(settings.FACESWAP_LEASE_SECONDS + 1))
    swap.refresh_from_db()
    assert swap.status == Status.QUEUED
    assert swap.claim()
    assert swap.attempts == 2


def test_a_swap_within_its_lease_is_left_alone(alice: User) -> None:
    swap = queued_swap(alice)
    swap.claim()
    tick(later(settings.FACESWAP_LEASE_SECONDS - 5))
    swap.refresh_from_db()
    assert swap.status == Status.PROCESSING


def test_after_the_last_attempt_it_fails_and_is_given_back(alice: User) -> None:
    before = Quota.objects.get_or_grant(alice).remaining
    swap = queued_swap(alice)
    for _ in range(settings.FACESWAP_MAX_ATTEMPTS):
        assert swap.claim()
        swap.shorten_lease()
        tick(later(40))
        swap.refresh_from_db()
    assert swap.status == Status.FAILED
    assert swap.error_code == "api_error"
    assert Quota.objects.get_or_grant(alice).remaining == before


def test_a_broken_attempt_is_tried_again_after_a_pause(alice: User) -> None:
    swap = queued_swap(alice)
    swap.claim()
    swap.shorten_lease()
    tick(later(1))
    swap.refresh_from_db()
    assert swap.status == Status.PROCESSING
    tick(later(3))
    swap.refresh_from_db()
    assert swap.status == Status.QUEUED


def test_a_swap_whose_task_was_lost_is_enqueued_again_once_a_lease(alice: User) -> None:
    from django_tasks_db.models import DBTaskResult

    queued_swap(alice)
    DBTaskResult.objects.all().delete()
    now = later(settings.FACESWAP_LEASE_SECONDS + 1)
    tick(now)
    tick(now)
    assert DBTaskResult.objects.count() == 1
    tick(now + datetime.timedelta(seconds=settings.FACESWAP_LEASE_SECONDS + 5))
    assert DBTaskResult.objects.count() == 2


def test_a_swap_that_outlasts_its_lease_still_succeeds(alice: User) -> None:
    swap = queued_swap(alice)
    swap.claim()
    tick(later(settings.FACESWAP_LEASE_SECONDS + 1))
    settle(swap, finished())
    swap.refresh_from_db()
    assert swap.status == Status.SUCCEEDED


def test_a_worker_whose_lease_is_over_does_not_touch_the_next_ones(alice: User) -> None:
    swap = queued_swap(alice)
    swap.claim()
    tick(later(settings.FACESWAP_LEASE_SECONDS + 1))
    other = Swap.objects.get(pk=swap.pk)
    other.claim()
    swap.shorten_lease()
    tick(later(5))
    other.refresh_from_db()
    assert other.status == Status.PROCESSING


def test_one_file_that_cannot_be_deleted_holds_up_nothing_else(alice: User) -> None:
    stuck, other = queued_swap(alice), queued_swap(alice)
    remove_swap(other)
    remove_swap(stuck)
    for swap in (stuck, other):
        storage.put(swap.target_key, b"again")
    blocked = settings.MEDIA_ROOT / stuck.source_key
    blocked.mkdir(parents=True)
    (blocked / "in the way").touch()
    tick(later(2 * settings.FACESWAP_LEASE_SECONDS + 1))
    assert [name for name in _files() if not name.endswith("in the way")] == []
    assert list(Swap.objects.filter(is_purged=True)) == [other]


def test_a_late_second_result_of_a_removed_swap_does_not_stay(alice: User) -> None:
    swap = finished_swap(alice)
    late = Swap.objects.get(pk=swap.pk)
    remove_swap(swap)
    settle(late, finished())
    assert not _files()


def test_a_result_of_a_deleted_account_does_not_stay(
    alice: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    swap = queued_swap(alice)
    swap.claim()
    worker = Swap.objects.get(pk=swap.pk)
    with django_capture_on_commit_callbacks(execute=True):
        alice.delete()
    settle(worker, finished())
    assert not _files()


def test_an_account_can_be_deleted_though_a_file_cannot(
    alice: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    swap = queued_swap(alice)
    blocked = settings.MEDIA_ROOT / swap.source_key
    blocked.unlink()
    blocked.mkdir()
    (blocked / "in the way").touch()
    with django_capture_on_commit_callbacks(execute=True):
        alice.delete()
    assert len(_files()) == 1


def test_removal_deletes_every_file(alice: User) -> None:
    swap = finished_swap(alice)
    assert _files()
    remove_swap(swap)
    assert not _files()
    assert not Swap.objects.visible_to(alice).exists()
    assert Quota.objects.get_or_grant(alice).spent == 1


def test_an_unfinished_swap_is_given_back_when_removed(alice: User) -> None:
    swap = queued_swap(alice)
    remove_swap(swap)
    remove_swap(swap)
    assert Quota.objects.get_or_grant(alice).spent == 0


def test_a_result_that_comes_after_the_removal_does_not_stay(alice: User) -> None:
    swap = queued_swap(alice)
    swap.claim()
    worker = Swap.objects.get(pk=swap.pk)
    remove_swap(swap)
    settle(worker, finished())
    assert not _files()


def test_the_clock_purges_what_a_killed_worker_left_of_a_removed_swap(alice: User) -> None:
    swap = queued_swap(alice)
    swap.claim()
    remove_swap(swap)
    storage.put(storage.key_for("swaps", swap.pk, "result", ".jpg"), b"left behind")
    tick(later(2 * settings.FACESWAP_LEASE_SECONDS + 1))
    assert not _files()
    swap.refresh_from_db()
    assert swap.is_purged


def test_kept_uploads_have_their_time(
    alice: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    keep_upload(alice, photo())
    tick(later(60))
    assert Upload.objects.exists()
    with django_capture_on_commit_callbacks(execute=True):
        tick(later(settings.FACESWAP_KEPT_UPLOAD_HOURS * 3600 + 1))
    assert not Upload.objects.exists()
    assert not _files()


def test_an_account_keeps_few_uploads(
    alice: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        uploads = [keep_upload(alice, photo()) for _ in range(kept_uploads.MAX_KEPT_UPLOADS + 2)]
    assert set(Upload.objects.all()) == set(uploads[-kept_uploads.MAX_KEPT_UPLOADS :])
    assert len(_files()) == (1 + len(SIDES)) * kept_uploads.MAX_KEPT_UPLOADS


def test_deleting_an_account_deletes_its_files(
    alice: User,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    finished_swap(alice)
    keep_upload(alice, photo())
    with django_capture_on_commit_callbacks(execute=True):
        alice.delete()
    assert not _files()


def _files() -> list[str]:
    return [str(path) for path in settings.MEDIA_ROOT.rglob("*") if path.is_file()]
