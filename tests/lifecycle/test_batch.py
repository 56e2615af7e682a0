"""Batches: one face for many photos."""

import pytest
from django.conf import settings as django_settings
from django.utils import timezone
from django_tasks_db.models import DBTaskResult
from pytest_django import Settings

from swaps import errors, storage, tasks
from swaps.clock import recovery
from swaps.hosted.schedule import enqueue_waiting
from swaps.images import budget
from swaps.lifecycle.batch import (
    BatchDetails,
    find_batch,
    progress_of,
    remove_batch,
    request_batch,
    retry_failed,
)
from swaps.lifecycle.enqueue import BATCH_PRIORITY, enqueue_next
from swaps.lifecycle.remove import remove_swap
from swaps.lifecycle.request import AlreadyRequested, SwapDetails, request_swap
from swaps.lifecycle.settle import settle
from swaps.lifecycle.uploads import keep_upload
from swaps.models import AccountStorage, Batch, Provider, Quota, Submission, Swap, Upload, User
from swaps.models.swap_pairs import one_pair
from tests.pictures import photo
from tests.swap_rows import finished, later, queued_swap

pytestmark = pytest.mark.django_db


def uploaded(owner: User, count: int) -> list[str]:
    """The keys of photos that were sent ahead."""
    return [keep_upload(owner, photo("navy")).key for _ in range(count)]


def requested(owner: User, count: int) -> Batch:
    return request_batch(owner, photo("tan"), uploaded(owner, count)).batch


def left(owner: User) -> int:
    return Quota.objects.remaining_of(owner)


def leave(owner: User, count: int) -> None:
    Quota.objects.get_or_grant(owner)
    Quota.objects.filter(user=owner).update(remaining=count)


def end(swap: Swap, *, error: errors.SwapError | None = None) -> None:
    assert swap.claim()
    settle(swap, error or finished())


# --- Requested ------------------------------------------------------------------------------------


def test_each_photo_gets_a_swap_and_is_no_upload_any_more(alice: User) -> None:
    before = left(alice)
    details = BatchDetails(name=" Our  wedding ", pairs=one_pair([0.5, 0.4]))
    keys = uploaded(alice, 3)
    made = request_batch(alice, photo("tan"), keys, details=details)
    assert (made.count, made.error, made.batch.name) == (3, None, "Our wedding")
    swaps = list(made.batch.swaps.all())
    assert [swap.pairs[0]["source_face"] for swap in swaps] == [[0.5, 0.4]] * 3
    assert left(alice) == before - 3
    assert not Upload.objects.exists()
    stored = AccountStorage.objects.get(user=alice).size
    assert stored == sum(swap.stored_bytes for swap in swaps)  # each has a copy of the face


def test_with_too_few_swaps_left_nothing_is_started(alice: User) -> None:
    leave(alice, 2)
    keys = uploaded(alice, 3)
    with pytest.raises(errors.UsedUp, match="That takes 3 swaps, and you have 2 left"):
        request_batch(alice, photo("tan"), keys)
    assert (left(alice), Batch.objects.count(), Upload.objects.count()) == (2, 0, 3)


def test_a_form_that_is_sent_twice_makes_one_batch(alice: User) -> None:
    keys = uploaded(alice, 2)
    made = request_batch(alice, photo("tan"), keys, form_key="abc")
    with pytest.raises(AlreadyRequested):
        request_batch(alice, photo("tan"), keys, form_key="abc")
    assert find_batch(alice, "abc") == made.batch
    assert Swap.objects.count() == 2


def test_an_account_that_gets_full_midway_keeps_the_rest(alice: User, settings: Settings) -> None:
    keys = uploaded(alice, 3)
    size = AccountStorage.objects.get(user=alice).size
    settings.FACESWAP_ACCOUNT_BYTES = size + size * 3 // 4
    made = request_batch(alice, photo("tan"), keys)
    assert 0 < made.count < 3
    assert isinstance(made.error, errors.UsedUp)
    assert Upload.objects.count() == 3 - made.count == 3 - Swap.objects.count()


def test_a_full_account_starts_nothing_and_the_form_may_be_sent_again(
    alice: User, settings: Settings
) -> None:
    keys = uploaded(alice, 2)
    settings.FACESWAP_ACCOUNT_BYTES = 1
    with pytest.raises(errors.UsedUp, match="Your pictures would take more"):
        request_batch(alice, photo("tan"), keys, form_key="abc")
    assert not Batch.objects.exists()
    settings.FACESWAP_ACCOUNT_BYTES = 0
    assert request_batch(alice, photo("tan"), keys, form_key="abc").count == 2


def test_a_photo_that_was_deleted_meanwhile_is_left_out(alice: User) -> None:
    keys = uploaded(alice, 2)
    storage.delete(keys[:1])
    assert request_batch(alice, photo("tan"), keys).count == 1


# --- Tried again ----------------------------------------------------------------------------------


def test_what_failed_is_tried_again_in_its_place_and_charged_once(alice: User) -> None:
    batch = requested(alice, 3)
    done, broken, waiting = batch.swaps.order_by("created_at")
    end(done)
    end(broken, error=errors.ApiError("gave_up"))
    before = left(alice)
    percent = progress_of(list(batch.swaps.all())).percent
    assert retry_failed(batch).count == 1
    assert retry_failed(batch).count == 0
    assert left(alice) == before - 1
    swaps = list(batch.swaps.order_by("created_at"))
    assert swaps[:2] == [done, waiting]
    assert swaps[2].is_unfinished
    progress = progress_of(swaps)
    assert (progress.total, progress.ready, progress.failed, progress.unfinished) == (3, 1, 0, 2)
    assert progress.percent == percent
    broken.refresh_from_db()
    assert (broken.batch, broken.is_failed) == (None, True)


def test_two_who_try_again_at_once_make_one_swap(alice: User) -> None:
    batch = requested(alice, 1)
    swap = batch.swaps.get()
    end(swap, error=errors.ApiError("gave_up"))
    assert batch.release_failed(swap)  # somebody was faster
    details = SwapDetails(batch=batch, replaces=swap)
    with pytest.raises(AlreadyRequested):
        request_swap(alice, photo("tan"), photo("navy"), details=details)
    assert (Swap.objects.count(), left(alice)) == (1, django_settings.FACESWAP_FREE_SWAPS)


def test_a_photo_without_a_face_is_not_tried_again(alice: User) -> None:
    batch = requested(alice, 1)
    end(batch.swaps.get(), error=errors.NoFace("target", image="target"))
    assert retry_failed(batch).count == 0


def test_trying_again_ends_where_the_quota_does(alice: User) -> None:
    batch = requested(alice, 2)
    for swap in batch.swaps.all():
        end(swap, error=errors.ApiError("gave_up"))
    leave(alice, 1)
    made = retry_failed(batch)
    assert (made.count, type(made.error)) == (1, errors.UsedUp)
    assert progress_of(list(batch.swaps.all())).total == 2


# --- Progress and end -----------------------------------------------------------------------------


def test_progress_never_goes_back(alice: User) -> None:
    batch = requested(alice, 4)
    first, second, third, fourth = batch.swaps.order_by("created_at")
    seen = []

    def look() -> None:
        seen.append(progress_of(list(batch.swaps.all())).percent)

    look()
    end(first)
    look()
    end(second, error=errors.ApiError("gave_up"))
    look()
    remove_swap(first)
    look()
    retry_failed(batch)
    look()
    remove_swap(third)
    look()
    end(fourth)
    look()
    end(batch.swaps.get(status="queued"))
    look()
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (0, 100)


def test_a_batch_is_removed_with_all_its_pictures(alice: User) -> None:
    batch = requested(alice, 2)
    end(batch.swaps.first() or Swap())
    remove_batch(batch)
    assert [(swap.status, swap.batch) for swap in Swap.objects.all()] == [("removed", None)] * 2
    assert not Batch.objects.exists()
    assert AccountStorage.objects.get(user=alice).size == 0


def test_what_staff_have_hidden_is_neither_removed_nor_tried_again(alice: User) -> None:
    batch = requested(alice, 2)
    hidden, other = batch.swaps.order_by("created_at")
    for swap in (hidden, other):
        end(swap, error=errors.ApiError("gave_up"))
    Swap.objects.filter(pk=hidden.pk).update(is_hidden=True)
    assert retry_failed(batch).count == 1
    remove_batch(batch)
    assert Swap.objects.get(pk=hidden.pk).status == "failed"


def queued_in(batch: Batch, count: int = 1) -> list[Swap]:
    """Swaps of a batch that wait in the queue."""
    swaps = [queued_swap(batch.owner) for _ in range(count)]
    DBTaskResult.objects.all().delete()
    Swap.objects.filter(owner=batch.owner).update(batch=batch)
    for swap in swaps:
        swap.refresh_from_db()
        enqueue_next(swap)
    return swaps


def take_task() -> str:
    """Take the next task from the queue, as a worker does; return the swap that it is about."""
    task = DBTaskResult.objects.ready().get_locked()
    assert task
    pk: str = task.args_kwargs["args"][0]
    task.delete()
    return pk


# --- People before batches ------------------------------------------------------------------------


def test_a_swap_waits_for_one_of_a_batch_at_most(alice: User, charlie: User) -> None:
    batch = queued_in(Batch.objects.create(owner=alice), 5)
    assert take_task() == str(batch[0].pk)  # a worker was free
    single = queued_swap(charlie)
    assert take_task() == str(single.pk)
    assert take_task() == str(batch[1].pk)


def test_so_it_is_after_each_way_back_into_the_queue(alice: User, charlie: User) -> None:
    [crashed, stalled] = queued_in(Batch.objects.create(owner=alice), 2)
    crashed.claim()
    DBTaskResult.objects.all().delete()
    recovery.recover_swaps(later(1000))
    assert set(DBTaskResult.objects.values_list("priority", flat=True)) == {BATCH_PRIORITY}
    single = queued_swap(charlie)
    assert take_task() == str(single.pk)
    assert {take_task(), take_task()} <= {str(crashed.pk), str(stalled.pk)}


def test_so_it_is_when_there_was_no_memory_for_its_photos(
    alice: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    [swap] = queued_in(Batch.objects.create(owner=alice))
    DBTaskResult.objects.all().delete()
    monkeypatch.setattr(budget, "WAIT_SECONDS", 0.1)
    settings.FACESWAP_DECODE_BYTES = 2 * budget.SLOT_BYTES
    with budget.reserve(settings.FACESWAP_DECODE_BYTES, who="somebody else"):
        tasks.run_swap.call(str(swap.pk))
    assert [task.priority for task in DBTaskResult.objects.all()] == [BATCH_PRIORITY]


def test_so_it_is_at_a_hosted_provider(alice: User, charlie: User, settings: Settings) -> None:
    settings.FACESWAP_PROVIDER = Provider.HOSTED
    settings.FACESWAP_HOSTED_IN_FLIGHT = 1
    queued_in(Batch.objects.create(owner=alice))
    single = queued_swap(charlie)
    DBTaskResult.objects.all().delete()
    Submission.objects.update(enqueue_again_at=None)
    enqueue_waiting(timezone.now())
    assert take_task() == str(single.pk)
    assert not DBTaskResult.objects.exists()
