"""Two things at once: what is decided late never undoes what came first.

The real client is called; what happens meanwhile is put before or behind its call.
"""

import contextlib
import datetime
import json
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import OperationalError, connection, connections
from django.utils import timezone
from django_tasks_db.models import DBTaskResult
from pytest_django import Settings

from swaps import errors, links, storage, tasks
from swaps.clock.recovery import enqueue_submissions
from swaps.hosted import callbacks, client
from swaps.lifecycle.remove import remove_swap
from swaps.lifecycle.settle import settle
from swaps.models import (
    HostedProvider,
    ProviderCallback,
    Stage,
    Status,
    Submission,
    Swap,
    User,
    Verdict,
)
from tests.hosted.steps import (
    call_back,
    make_due,
    post,
    request_hosted_swap,
    run_step,
    send_swap,
    spent,
    submission_of,
    use,
    using_provider,
)
from tests.provider_server import Behaviour, Reply, refuses

pytestmark = pytest.mark.django_db
LOST = Behaviour(reply=Reply(cut_at=0), callbacks=0)
Happens = Callable[[], object]


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Happens], None]:
    """While this function of the client has its answer, and nobody knows of it yet."""

    def during(name: str, happens: Happens) -> None:
        real = getattr(client, name)

        def called(*args: Any, **kwargs: Any) -> Any:
            try:
                return real(*args, **kwargs)
            finally:
                monkeypatch.setattr(client, name, real)
                happens()

        monkeypatch.setattr(client, name, called)

    return during


# --- a task that comes twice ------------------------------------------------------------------


def test_a_second_task_for_one_that_is_sent_changes_nothing_while_the_provider_rests(
    alice: User, settings: Settings
) -> None:
    with using_provider(settings, LOST) as provider:
        swap = send_swap(alice)
        before = submission_of(swap).due_at
        HostedProvider.objects.pause_until(timezone.now() + datetime.timedelta(seconds=1))
        tasks.submit_swap.call(str(swap.pk))
        assert submission_of(swap).due_at == before
        assert len(provider.swaps) == 1


def test_a_second_task_for_one_that_is_sent_does_not_park_it(
    alice: User, settings: Settings
) -> None:
    with using_provider(settings, Behaviour(callbacks=0)):
        swap = send_swap(alice)
        soon = timezone.now() + datetime.timedelta(seconds=20)
        HostedProvider.objects.update(open_until=soon, troubles=5)
        tasks.submit_swap.call(str(swap.pk))
        swap.refresh_from_db()
        assert (swap.status, swap.is_parked) == (Status.PROCESSING, False)


def test_a_second_task_for_one_that_waited_long_and_is_sent_does_not_end_it(
    alice: User, settings: Settings
) -> None:
    with using_provider(settings, Behaviour(callbacks=0)):
        swap = send_swap(alice)
        Submission.objects.update(created_at=timezone.now() - datetime.timedelta(hours=25))
        tasks.submit_swap.call(str(swap.pk))
        swap.refresh_from_db()
        assert swap.status == Status.PROCESSING


def test_one_that_was_just_enqueued_is_not_enqueued_again(alice: User, settings: Settings) -> None:
    with using_provider(settings):
        request_hosted_swap(alice)
        enqueue_submissions(timezone.now())
        assert DBTaskResult.objects.count() == 1


# --- the callback and the answer at the same moment -------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_callback_that_comes_with_the_answer_is_kept(alice: User, settings: Settings) -> None:
    use(settings, "http://127.0.0.1:9")
    waiting = []
    for _ in range(100):
        submission = submission_of(request_hosted_swap(alice))
        assert submission.mark_sent(timezone.now(), {}, timezone.now())
        waiting.append(submission)
    both = threading.Barrier(2, timeout=30)
    verdicts = []

    def call_back_each() -> None:
        for number, submission in enumerate(waiting):
            outcome = {"success": True, "task_id": str(number), "image_url": "https://a.example/1"}
            both.wait()
            time.sleep(random.uniform(0, 0.004))
            verdicts.append(callbacks.receive(submission.pk, json.dumps(outcome).encode()))
        connections.close_all()

    def answer_each() -> None:
        for number, submission in enumerate(waiting):
            both.wait()
            time.sleep(random.uniform(0, 0.004))
            submission.accept(str(number), timezone.now(), timezone.now())
        connections.close_all()

    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(call_back_each), threads.submit(answer_each)]:
            done.result()
    assert verdicts == [Verdict.ACCEPTED] * len(waiting)
    here = Submission.objects.filter(stage=Stage.ANSWERED, accepted_at__isnull=False)
    assert here.exclude(image_url="").count() == len(waiting)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("deleted", ["swap", "account"])
def test_what_is_deleted_while_a_stray_callback_is_filed_is_deleted(
    alice: User, settings: Settings, monkeypatch: pytest.MonkeyPatch, deleted: str
) -> None:
    """Both lock the swap before its submission, or a database would have to kill one of them."""
    use(settings, "http://127.0.0.1:9")
    swap = request_hosted_swap(alice)
    submission = submission_of(swap)
    assert submission.mark_sent(timezone.now(), {}, timezone.now())
    stray = {"success": True, "task_id": "stray", "image_url": "https://a.example/1"}
    assert callbacks.receive(swap.pk, json.dumps(stray).encode()) == Verdict.ACCEPTED
    is_filed = threading.Event()
    record = type(ProviderCallback.objects).record

    def record_slowly(*args: Any) -> None:
        record(*args)
        is_filed.set()
        time.sleep(0.5)

    monkeypatch.setattr(type(ProviderCallback.objects), "record", record_slowly)

    def accept() -> None:
        try:
            submission.accept("mine", timezone.now(), timezone.now())
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as thread:
        accepted = thread.submit(accept)
        assert is_filed.wait(60)
        if deleted == "swap":
            remove_swap(Swap.objects.get(pk=swap.pk))
        else:
            alice.delete()
        with contextlib.suppress(Submission.DoesNotExist):  # with its account
            accepted.result()
    assert not Submission.objects.open().exists()


# --- an outcome that comes while something else is decided ------------------------------------


def test_a_callback_that_comes_while_the_provider_is_asked_in_vain_is_not_lost(
    alice: User, settings: Settings, meanwhile: Callable[[str, Happens], None]
) -> None:
    with using_provider(settings, Behaviour(is_forgotten=True)) as provider:
        swap = send_swap(alice)
        answers: list[int] = []
        meanwhile("get_task", lambda: answers.append(call_back(provider)))
        run_step(swap, tasks.ask_provider)
        assert answers == [202]
        assert swap.status == Status.PROCESSING
        tasks.collect_result.call(str(swap.pk))
        swap.refresh_from_db()
        assert swap.is_succeeded


def test_a_callback_of_the_first_call_outweighs_the_refusal_of_the_second(
    alice: User, settings: Settings, meanwhile: Callable[[str, Happens], None]
) -> None:
    behaviours = [LOST, refuses(403, "used_up")]
    with using_provider(settings, behaviours) as provider:
        swap = send_swap(alice)
        run_step(swap, tasks.ask_provider)  # back to the queue
        answers: list[int] = []
        meanwhile("submit", lambda: answers.append(call_back(provider)))
        run_step(swap, tasks.submit_swap)
        assert answers == [202]
        assert not swap.is_failed
        make_due(swap)
        tasks.collect_result.call(str(swap.pk))
        swap.refresh_from_db()
        assert swap.is_succeeded


def test_a_picture_that_was_fetched_twice_is_not_deleted_by_the_slower_one(
    alice: User, settings: Settings, meanwhile: Callable[[str, Happens], None]
) -> None:
    with using_provider(settings) as provider:
        swap = send_swap(alice)
        assert call_back(provider) == 202
        meanwhile("fetch_result", lambda: run_step(swap, tasks.collect_result))
        tasks.collect_result.call(str(swap.pk))
        swap.refresh_from_db()
        assert swap.is_succeeded
        assert storage.read(swap.result_key)


def test_an_accepted_callback_is_kept_for_staff_however_the_swap_ends(
    alice: User, settings: Settings
) -> None:
    with using_provider(settings) as provider:
        swap = send_swap(alice)
        assert call_back(provider) == 202
        settle(swap, errors.Timeout("provider"))
    assert ProviderCallback.objects.get().verdict == Verdict.ACCEPTED


# --- a call that takes longer than the deadline ------------------------------------------------


def test_a_call_that_is_still_under_way_is_not_made_again_at_the_deadline(
    alice: User, settings: Settings, meanwhile: Callable[[str, Happens], None]
) -> None:
    with using_provider(settings, Behaviour(callbacks=0)) as provider:
        swap = request_hosted_swap(alice)

        def the_clock_goes_on() -> None:
            run_step(swap, tasks.ask_provider)
            tasks.submit_swap.call(str(swap.pk))

        meanwhile("submit", the_clock_goes_on)
        tasks.submit_swap.call(str(swap.pk))
        assert len(provider.swaps) == 1
        assert submission_of(swap).task_id == provider.task.id


def test_an_ask_waits_as_long_as_the_provider_says(alice: User, settings: Settings) -> None:
    later = Reply(status=429, headers={"Retry-After": "120"}, body=b"{}")
    with using_provider(settings, asked=[later]):
        swap = send_swap(alice)
        run_step(swap, tasks.ask_provider)
    due_at = submission_of(swap).due_at
    assert due_at
    assert due_at - timezone.now() > datetime.timedelta(seconds=100)


def test_a_provider_that_cannot_be_asked_for_a_while_costs_no_swap(
    alice: User, settings: Settings
) -> None:
    broken = Reply(status=503, body=b"{}")
    with using_provider(settings, asked=[broken] * 12) as provider:
        swap = send_swap(alice)
        for _ in range(12):
            run_step(swap, tasks.ask_provider)
        assert swap.status == Status.PROCESSING
        assert call_back(provider) == 202


# --- whose picture it is ----------------------------------------------------------------------


def test_the_picture_of_a_task_whose_answer_is_under_way_is_not_taken_for_another_swaps(
    alice: User, settings: Settings, meanwhile: Callable[[str, Happens], None]
) -> None:
    """The first one's answer was lost, so it is known by its callback alone; that is wrong."""
    with using_provider(settings, [LOST, Behaviour(callbacks=0)]) as provider:
        first, second = send_swap(alice), request_hosted_swap(alice)

        def the_wrong_callback_comes() -> None:
            task = list(provider.tasks.values())[1]
            assert task.is_done.wait(60)
            assert post(links.callback_url(first.pk), provider.outcome(task)) == 202
            tasks.collect_result.call(str(first.pk))

        meanwhile("submit", the_wrong_callback_comes)
        tasks.submit_swap.call(str(second.pk))
        run_step(first, tasks.collect_result)
    assert first.status == Status.PROCESSING
    assert submission_of(first).task_id == ""
    assert submission_of(second).task_id == list(provider.tasks)[1]


# --- deleted meanwhile ------------------------------------------------------------------------


def test_one_that_is_at_the_provider_counts_although_it_is_deleted(
    alice: User, settings: Settings
) -> None:
    with using_provider(settings):
        remove_swap(send_swap(alice))
        remove_swap(request_hosted_swap(alice))
    assert spent(alice) == 1


def test_one_that_is_deleted_while_it_is_taken_back_is_deleted_and_given_back(
    alice: User, settings: Settings
) -> None:
    with using_provider(settings, refuses(503, "api_error")):
        swap = send_swap(alice)
        stale = Swap.objects.get(pk=swap.pk)
        stale.status = Status.PROCESSING  # as the page saw it, before it was taken back
        remove_swap(stale)
    swap.refresh_from_db()
    assert swap.status == Status.REMOVED
    assert spent(alice) == 0


def test_deleting_twice_gives_back_once(alice: User, settings: Settings) -> None:
    with using_provider(settings):
        swap = request_hosted_swap(alice)
        request_hosted_swap(alice)
        remove_swap(Swap.objects.get(pk=swap.pk))
        remove_swap(swap)
    assert spent(alice) == 1


def test_a_swap_that_is_deleted_while_its_picture_is_fetched_leaves_nothing(
    alice: User,
    settings: Settings,
    meanwhile: Callable[[str, Happens], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    with using_provider(settings) as provider:
        swap = send_swap(alice)
        assert call_back(provider) == 202
        meanwhile("fetch_result", lambda: remove_swap(Swap.objects.get(pk=swap.pk)))
        tasks.collect_result.call(str(swap.pk))
    swap.refresh_from_db()
    submission = submission_of(swap)
    assert (submission.stage, submission.due_at, submission.problem) == (Stage.ENDED, None, "")
    for key in swap.keys:
        with pytest.raises(FileNotFoundError):
            storage.read(key)
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_a_key_that_was_taken_away_sends_nothing_to_anybody(
    alice: User, settings: Settings
) -> None:
    with using_provider(settings) as provider:
        swap = request_hosted_swap(alice)
        settings.FACESWAP_HOSTED_KEY = ""
        tasks.submit_swap.call(str(swap.pk))
        assert provider.calls == []


# --- how much is looked at --------------------------------------------------------------------


def test_what_is_over_is_not_looked_at(alice: User, settings: Settings) -> None:
    """SQLite uses a partial index only where it can tell so from the words of the query."""
    use(settings, "http://127.0.0.1:9")
    now = timezone.now()
    queries = {
        "due": Submission.objects.needs_enqueue(now).filter(stage__in=(Stage.SENT, Stage.ANSWERED)),
        "in flight": Submission.objects.in_flight(),
        "waiting": Submission.objects.open().filter(stage=Stage.NEW).order_by("due_at"),
        "known": Submission.objects.filter(task_id="x", accepted_at__isnull=False),
        "overdue": Swap.objects.overdue(now),
        "unfinished": Swap.objects.unfinished().filter(is_parked=True),
    }
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:  # or it would read so few rows one by one
            cursor.execute("SET LOCAL enable_seqscan = off")
    for name, query in queries.items():
        plan = query.explain()
        assert "SCAN" not in plan, f"{name}: {plan}"
        assert "Seq Scan" not in plan, f"{name}: {plan}"


def test_an_answer_is_kept_even_if_nothing_can_be_written_about_the_provider(
    alice: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: Any) -> None:
        raise OperationalError("deadlock detected")

    monkeypatch.setattr(type(HostedProvider.objects), "record_success", break_down)
    with using_provider(settings, Behaviour(callbacks=0)) as provider:
        swap = send_swap(alice)
        assert submission_of(swap).task_id == provider.task.id


def test_the_outcome_of_a_call_that_seemed_refused_is_collected_at_once(
    alice: User, settings: Settings, meanwhile: Callable[[str, Happens], None]
) -> None:
    """It began the task, and something before it answered that it could not be reached."""
    unreachable = Behaviour(reply=Reply(status=503, body=b"{}"), callbacks=0)
    with using_provider(settings, unreachable) as provider:
        swap = request_hosted_swap(alice)
        meanwhile("submit", lambda: call_back(provider))
        tasks.submit_swap.call(str(swap.pk))
        assert submission_of(swap).stage == Stage.ANSWERED
        tasks.collect_result.call(str(swap.pk))
        swap.refresh_from_db()
        assert swap.is_succeeded


# --- deleted while it is sent -----------------------------------------------------------------


def spent_when_deleted(
    owner: User, meanwhile: Callable[[str, Happens], None], sends: int = 1
) -> int:
    """During so many calls' last one."""
    swap = request_hosted_swap(owner)
    for _ in range(sends - 1):
        tasks.submit_swap.call(str(swap.pk))
        run_step(swap, tasks.ask_provider)
        make_due(swap)
    meanwhile("submit", lambda: remove_swap(Swap.objects.get(pk=swap.pk)))
    tasks.submit_swap.call(str(swap.pk))
    swap.refresh_from_db()
    assert swap.status == Status.REMOVED
    assert submission_of(swap).stage == Stage.ENDED
    return spent(owner)


@pytest.mark.parametrize("behaviour", [refuses(503, "api_error"), refuses(400, "no_face")])
def test_one_that_was_deleted_during_a_call_that_began_nothing_does_not_count(
    alice: User,
    settings: Settings,
    meanwhile: Callable[[str, Happens], None],
    behaviour: Behaviour,
) -> None:
    with using_provider(settings, behaviour) as provider:
        assert spent_when_deleted(alice, meanwhile) == 0
        assert not provider.tasks


def test_nor_does_one_that_was_deleted_right_after_such_a_call(
    alice: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with using_provider(settings, refuses(503, "api_error")):
        swap = request_hosted_swap(alice)
        noted = type(HostedProvider.objects).record_failure

        def record_failure(*args: Any, **kwargs: Any) -> None:
            noted(*args, **kwargs)
            remove_swap(Swap.objects.get(pk=swap.pk))

        monkeypatch.setattr(type(HostedProvider.objects), "record_failure", record_failure)
        tasks.submit_swap.call(str(swap.pk))
    swap.refresh_from_db()
    assert swap.status == Status.REMOVED
    assert spent(alice) == 0


def test_one_that_was_deleted_during_a_call_that_began_it_counts(
    alice: User, settings: Settings, meanwhile: Callable[[str, Happens], None]
) -> None:
    with using_provider(settings, Behaviour(callbacks=0)) as provider:
        assert spent_when_deleted(alice, meanwhile) == 1
        assert provider.tasks


def test_it_counts_if_an_earlier_call_may_have_begun_it(
    alice: User, settings: Settings, meanwhile: Callable[[str, Happens], None]
) -> None:
    with using_provider(settings, [LOST, refuses(503, "api_error")]) as provider:
        assert spent_when_deleted(alice, meanwhile, sends=2) == 1
        assert len(provider.swaps) == 2
        assert len(provider.tasks) == 1


def test_one_that_may_have_been_begun_and_waits_to_be_sent_again_counts_when_deleted(
    alice: User, settings: Settings
) -> None:
    with using_provider(settings, LOST) as provider:
        swap = send_swap(alice)
        run_step(swap, tasks.ask_provider)
        assert (swap.status, len(provider.tasks)) == (Status.QUEUED, 1)
        remove_swap(swap)
    assert spent(alice) == 1
