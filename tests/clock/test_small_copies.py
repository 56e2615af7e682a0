"""Swaps of earlier versions get the small copies that they lack, a few at a time."""

import datetime
from pathlib import Path

import pytest
from django.conf import settings as site_settings
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from swaps import errors, storage
from swaps.clock.recovery import MAX_SMALL_COPIES, enqueue_small_copies
from swaps.clock.retention import purge_failed
from swaps.lifecycle import small_copies
from swaps.lifecycle.remove import remove_swap
from swaps.lifecycle.settle import settle
from swaps.models import AccountStorage, Swap, User
from swaps.models.swap import SMALL_COPIES_LEASE
from swaps.sizes import SIDES
from swaps.tasks import make_small_copies
from tests.swap_rows import finished_swap, later, queued_swap

pytestmark = pytest.mark.django_db

NEW_SIDES = (160, 1600)  # which the earlier version did not make


def make_old(swap: Swap) -> Swap:
    """Take away what the earlier version did not make, with its bytes."""
    copies = [storage.copy_key(key, side) for key in pictures(swap) for side in NEW_SIDES]
    size = sum(len(storage.read(copy)) for copy in copies)
    for copy in copies:
        default_storage.delete(copy)
    stored = swap.stored_bytes - size
    Swap.objects.filter(pk=swap.pk).update(has_sizes=False, stored_bytes=stored)
    AccountStorage.objects.release(swap.owner_id, size)
    swap.refresh_from_db()
    return swap


def pictures(swap: Swap) -> list[str]:
    return [key for key in (swap.source_key, swap.target_key, swap.result_key) if key]


def enqueued() -> list[str]:
    """Return the swaps whose copies are in the queue."""
    tasks = DBTaskResult.objects.filter(task_path="swaps.tasks.make_small_copies")
    return [task.args_kwargs["args"][0] for task in tasks]


def counted_and_stored(user: User) -> tuple[int, int]:
    files = [path for path in Path(site_settings.MEDIA_ROOT).rglob("*") if path.is_file()]
    counted = AccountStorage.objects.get(user=user).size
    return counted, sum(path.stat().st_size for path in files)


def test_a_swap_gets_what_it_lacks_once(alice: User) -> None:
    finished_swap(alice)
    swap = make_old(finished_swap(alice))
    enqueue_small_copies(timezone.now())
    assert enqueued() == [str(swap.pk)]
    for _ in range(2):
        make_small_copies.call(str(swap.pk))
    swap.refresh_from_db()
    assert (swap.has_sizes, swap.lease_expires_at) == (True, None)
    for key in pictures(swap):
        assert all(storage.read(storage.copy_key(key, side)) for side in SIDES)
    counted, stored = counted_and_stored(alice)
    assert counted == stored
    enqueue_small_copies(later(3600))
    assert enqueued() == [str(swap.pk)]


def test_two_workers_at_once_count_the_bytes_once(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    swap = make_old(finished_swap(alice))
    other = Swap.objects.get(pk=swap.pk)
    small_copies.make_small_copies(swap)
    small_copies.make_small_copies(other)  # read its row before the first one was done
    counted, stored = counted_and_stored(alice)
    assert counted == stored


def test_few_are_in_the_queue_at_once_and_a_lost_one_comes_back(alice: User) -> None:
    swaps = [make_old(finished_swap(alice)) for _ in range(MAX_SMALL_COPIES + 2)]
    now = timezone.now()
    for seconds in range(3):
        enqueue_small_copies(now + datetime.timedelta(seconds=seconds))
    assert len(enqueued()) == len(set(enqueued())) == MAX_SMALL_COPIES
    for pk in enqueued()[:2]:
        make_small_copies.call(pk)
    enqueue_small_copies(now)
    assert set(enqueued()) == {str(swap.pk) for swap in swaps}
    lost = enqueued()[2]
    enqueue_small_copies(now + SMALL_COPIES_LEASE)
    assert enqueued().count(lost) == 2


def test_people_come_before_small_copies(alice: User) -> None:
    make_old(finished_swap(alice))
    enqueue_small_copies(timezone.now())
    swap = queued_swap(alice)
    ready = DBTaskResult.objects.ready()
    paths = [task.task_path for task in ready.order_by("-priority", "run_after", "enqueued_at")]
    assert paths[-1] == "swaps.tasks.make_small_copies"
    assert swap.has_sizes


def test_missing_and_broken_pictures_are_done_with(alice: User) -> None:
    swap = make_old(finished_swap(alice))
    storage.delete([swap.source_key])
    storage.put(swap.target_key, b"no picture")
    make_small_copies.call(str(swap.pk))
    swap.refresh_from_db()
    assert swap.has_sizes
    assert storage.read(storage.copy_key(swap.result_key, 160))
    for key in (swap.source_key, swap.target_key):
        with pytest.raises(FileNotFoundError):
            storage.read(storage.copy_key(key, 160))


def test_unfinished_swaps_wait_for_their_end(alice: User) -> None:
    swap = make_old(queued_swap(alice))
    enqueue_small_copies(timezone.now())
    make_small_copies.call(str(swap.pk))
    assert not enqueued()
    settle(swap, errors.ApiError("broke"))
    enqueue_small_copies(timezone.now())
    assert enqueued() == [str(swap.pk)]


@pytest.mark.parametrize("how", ["removed", "purged", "account deleted"])
def test_what_goes_meanwhile_leaves_nothing_behind(alice: User, how: str) -> None:
    swap = queued_swap(alice)
    settle(swap, errors.ApiError("broke"))
    make_old(swap)
    seen = Swap.objects.get(pk=swap.pk)
    match how:
        case "removed":
            remove_swap(swap)
        case "purged":
            purge_failed(later(25 * 3600))
        case _:
            alice.delete()
    small_copies.make_small_copies(seen)
    assert not [path for path in Path(site_settings.MEDIA_ROOT).rglob("*") if path.is_file()]
    assert not Swap.objects.without_small_copies().exists()


def test_looking_for_them_uses_the_small_index(alice: User) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET enable_seqscan = off")
        plan = Swap.objects.without_small_copies().order_by("pk")[:MAX_SMALL_COPIES].explain()
    assert "swap_without_sizes" in plan
