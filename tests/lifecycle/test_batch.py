"""Batches: one face for many photos."""

import pytest
from django.utils import timezone
from django_tasks_db.models import DBTaskResult
from pytest_django import Settings

from swaps import tasks
from swaps.clock import recovery
from swaps.hosted.schedule import enqueue_waiting
from swaps.images import budget
from swaps.lifecycle.enqueue import BATCH_PRIORITY, enqueue_next
from swaps.models import Batch, Provider, Submission, Swap, User
from tests.swap_rows import later, queued_swap

pytestmark = pytest.mark.django_db


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
    recovery.recover_overdue(later(1000))
    recovery.requeue_stalled(later(1000))
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
