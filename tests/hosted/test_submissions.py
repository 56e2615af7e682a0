"""The way of a swap through a hosted provider, step by step; the provider is a real server."""

import datetime
from typing import Any

import pytest
from django.conf import settings as current
from django.utils import timezone
from pytest_django import Settings

from swaps import images, storage, tasks
from swaps.clock.retention import delete_expired_logs
from swaps.clock.steps import tick
from swaps.hosted.schedule import enqueue_now
from swaps.hosted.send import claim_turn
from swaps.lifecycle.remove import remove_swap
from swaps.models import (
    HostedProvider,
    ProviderCallback,
    Stage,
    Status,
    Submission,
    User,
    Verdict,
)
from swaps.provenance import xmp
from tests.hosted.steps import (
    DEADLINE,
    age_submission,
    call_back,
    count_enqueued,
    ended_as,
    make_due,
    request_hosted_swap,
    run_step,
    send_swap,
    spent,
    submission_of,
    using_provider,
)
from tests.provider_server import Behaviour, Reply, fails, refuses

pytestmark = pytest.mark.django_db
CUT = Reply(cut_at=0)  # the call arrived, and its answer did not


# --- the way that it goes ---------------------------------------------------------------------


def test_a_swap_is_sent_reported_and_collected(alice: User, settings: Settings) -> None:
    with using_provider(settings) as provider:
        swap = send_swap(alice)
        assert swap.status == Status.PROCESSING
        assert submission_of(swap).task_id == provider.task.id
        assert call_back(provider) == 202
        tasks.collect_result.call(str(swap.pk))
    assert ended_as(swap, Status.SUCCEEDED)
    data = storage.read(swap.result_key)
    assert (swap.width, swap.height, swap.size) == (400, 300, len(data))
    assert images.dimensions(data) == (400, 300)
    assert xmp.is_marked(data)
    assert storage.read(storage.copy_key(swap.result_key, 640))
    assert spent(alice) == 1
    ended = submission_of(swap)
    assert (ended.stage, ended.request, ended.image_url) == (Stage.ENDED, None, "")
    assert ProviderCallback.objects.get().verdict == Verdict.ACCEPTED


def test_the_clock_brings_every_step_about(alice: User, settings: Settings) -> None:
    """As if each task had been lost: what is due is enqueued again."""
    from django_tasks_db.models import DBTaskResult

    def names() -> list[str]:
        found = list(DBTaskResult.objects.values_list("task_path", flat=True))
        DBTaskResult.objects.all().delete()
        return [name.rpartition(".")[2] for name in found]

    with using_provider(settings) as provider:
        swap = request_hosted_swap(alice)
        names()
        make_due(swap)
        tick(timezone.now())
        assert names() == ["submit_swap"]
        tasks.submit_swap.call(str(swap.pk))
        tick(timezone.now())
        assert names() == []  # it waits for its callback
        make_due(swap)
        tick(timezone.now())
        assert names() == ["ask_provider"]
        tick(timezone.now())
        assert names() == []  # its task is in the queue
        make_due(swap)
        assert call_back(provider) == 202
        tick(timezone.now())
        assert names() == ["collect_result"]


def test_each_task_may_run_twice_and_works_once(alice: User, settings: Settings) -> None:
    with using_provider(settings) as provider:
        swap = send_swap(alice)
        tasks.submit_swap.call(str(swap.pk))
        assert len(provider.swaps) == 1
        assert call_back(provider) == 202
        tasks.collect_result.call(str(swap.pk))
        tasks.collect_result.call(str(swap.pk))
        tasks.ask_provider.call(str(swap.pk))
    assert ended_as(swap, Status.SUCCEEDED)
    assert provider.task.fetched == 1
    assert provider.task_calls == []


def test_a_provider_that_answers_with_the_picture_needs_no_callback(
    alice: User, settings: Settings
) -> None:
    with using_provider(settings, Behaviour(is_synchronous=True)):
        swap = send_swap(alice)
        assert submission_of(swap).stage == Stage.ANSWERED
        tasks.collect_result.call(str(swap.pk))
    assert ended_as(swap, Status.SUCCEEDED)


def test_a_reported_failure_ends_the_swap_in_our_words_and_is_given_back(
    alice: User, settings: Settings
) -> None:
    with using_provider(
        settings, fails("no_face", "keine Gesichter in target_image_url")
    ) as provider:
        swap = send_swap(alice)
        assert call_back(provider) == 202
        tasks.collect_result.call(str(swap.pk))
    assert ended_as(swap, Status.FAILED, "no_face")
    assert swap.error_image == "target"
    assert "keine" not in swap.error_text
    assert spent(alice) == 0


def test_what_is_refused_for_good_ends_the_swap_at_once(alice: User, settings: Settings) -> None:
    with using_provider(settings, refuses(403, "used_up", "Buy more credits.")) as provider:
        swap = send_swap(alice)
        assert len(provider.swaps) == 1
    assert ended_as(swap, Status.FAILED, "api_error")
    assert "credits" not in swap.error_text
    assert spent(alice) == 0


# --- what is refused for now ------------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_is_not_taken_now_is_sent_again_later_and_counts_once(
    alice: User, settings: Settings, status: int
) -> None:
    with using_provider(settings, [refuses(status, "api_error")]) as provider:
        swap = send_swap(alice)
        assert (swap.status, swap.is_parked) == (Status.QUEUED, False)
        tasks.submit_swap.call(str(swap.pk))
        assert len(provider.swaps) == 1  # not before its pause is over
        HostedProvider.objects.update(rests_until=None)
        run_step(swap, tasks.submit_swap)
        assert len(provider.swaps) == 2
        assert call_back(provider) == 202
        tasks.collect_result.call(str(swap.pk))
    assert ended_as(swap, Status.SUCCEEDED)
    assert submission_of(swap).refusals == 1
    assert spent(alice) == 1


def test_the_same_request_is_sent_again_under_the_same_idempotency_key(
    alice: User, settings: Settings
) -> None:
    with using_provider(settings, [refuses(500, "api_error")]) as provider:
        swap = send_swap(alice)
        run_step(swap, tasks.submit_swap)
    first, second = provider.swaps
    assert first.body == second.body
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]


def test_a_request_whose_urls_are_old_is_made_anew_under_another_key(
    alice: User, settings: Settings
) -> None:
    with using_provider(settings, [refuses(500, "api_error")]) as provider:
        swap = send_swap(alice)
        age_submission(swap, 3600)
        run_step(swap, tasks.submit_swap)
    first, second = provider.swaps
    assert first.headers["idempotency-key"] != second.headers["idempotency-key"]


def test_however_soon_the_provider_says_the_pause_grows(alice: User, settings: Settings) -> None:
    with using_provider(settings, refuses(429, "rate_limited", retry_after="0")):
        swap = send_swap(alice)
        for _ in range(3):
            HostedProvider.objects.update(rests_until=None)
            run_step(swap, tasks.submit_swap)
    due_at = submission_of(swap).due_at
    assert due_at
    assert due_at - timezone.now() > datetime.timedelta(seconds=7)


def test_after_five_more_attempts_a_swap_that_is_never_taken_fails_and_is_given_back(
    alice: User, settings: Settings
) -> None:
    with using_provider(settings, refuses(429, "too_many_requests", retry_after="0")) as provider:
        swap = send_swap(alice)
        for _ in range(9):
            HostedProvider.objects.update(rests_until=None)
            run_step(swap, tasks.submit_swap)
        assert len(provider.swaps) == 6
    assert ended_as(swap, Status.FAILED, "api_error")
    assert spent(alice) == 0


def test_a_provider_that_wants_fewer_calls_gets_none_until_then(
    alice: User, settings: Settings
) -> None:
    with using_provider(settings, [refuses(429, "rate_limited", retry_after="30")]) as provider:
        send_swap(alice)
        second = send_swap(alice)
        run_step(second, tasks.submit_swap)
        assert len(provider.swaps) == 1
        assert (second.status, second.is_parked) == (Status.QUEUED, False)
        assert count_enqueued(timezone.now() + datetime.timedelta(seconds=20)) == 0
        assert count_enqueued(timezone.now() + datetime.timedelta(seconds=40)) == 2


def test_refusals_for_want_of_room_are_not_held_against_a_swap_while_others_are_at_work(
    alice: User, settings: Settings
) -> None:
    busy = refuses(429, "too_many_requests", retry_after="0")
    with using_provider(settings, [Behaviour(), *[busy] * 8]) as provider:
        send_swap(alice)
        swap = send_swap(alice)
        for _ in range(8):
            HostedProvider.objects.update(rests_until=None)
            run_step(swap, tasks.submit_swap)
        assert len(provider.swaps) == 10
    assert swap.status == Status.PROCESSING
    assert submission_of(swap).refusals == 0


# --- what gets lost ---------------------------------------------------------------------------


def test_a_lost_callback_is_asked_for_after_the_deadline(alice: User, settings: Settings) -> None:
    with using_provider(settings) as provider:
        swap = send_swap(alice)
        tasks.ask_provider.call(str(swap.pk))
        assert provider.task_calls == []  # not before its time
        assert provider.task.is_done.wait(60)
        run_step(swap, tasks.ask_provider)
        assert len(provider.task_calls) == 1
        tasks.collect_result.call(str(swap.pk))
    assert ended_as(swap, Status.SUCCEEDED)
    assert spent(alice) == 1


def test_a_lost_report_of_a_failure_is_asked_for_as_well(alice: User, settings: Settings) -> None:
    with using_provider(settings, fails("no_face", "source_image_url")) as provider:
        swap = send_swap(alice)
        assert provider.task.is_done.wait(60)
        run_step(swap, tasks.ask_provider)
    assert ended_as(swap, Status.FAILED, "no_face")
    assert swap.error_image == "source"
    assert spent(alice) == 0


@pytest.mark.parametrize(
    "more",
    [
        {"tasks_are": "api_not_implemented"},
        {"tasks_are": "no_api"},
        {"behaviour": Behaviour(is_forgotten=True)},
    ],
)
def test_where_it_cannot_be_asked_for_it_times_out_and_is_given_back_once(
    alice: User, settings: Settings, more: dict[str, Any]
) -> None:
    with using_provider(settings, **more) as provider:
        swap = send_swap(alice)
        run_step(swap, tasks.ask_provider)
        run_step(swap, tasks.ask_provider)
        assert call_back(provider) == 204  # too late
        tasks.collect_result.call(str(swap.pk))
    assert ended_as(swap, Status.FAILED, "timeout")
    assert spent(alice) == 0


def test_one_that_is_still_at_work_is_waited_for_but_not_for_ever(
    alice: User, settings: Settings
) -> None:
    with using_provider(settings, Behaviour(works_for=60)) as provider:
        swap = send_swap(alice)
        age_submission(swap, DEADLINE)
        run_step(swap, tasks.ask_provider)
        assert ended_as(swap, Status.PROCESSING)
        age_submission(swap, 4 * DEADLINE)
        run_step(swap, tasks.ask_provider)
        assert len(provider.task_calls) == 2
    assert ended_as(swap, Status.FAILED, "timeout")
    assert spent(alice) == 0


def test_asking_is_tried_again_when_the_provider_is_in_trouble(
    alice: User, settings: Settings
) -> None:
    with using_provider(settings, asked=[Reply(status=500), Reply(cut_at=0)]) as provider:
        swap = send_swap(alice)
        assert provider.task.is_done.wait(60)
        for _ in range(3):
            run_step(swap, tasks.ask_provider)
        tasks.collect_result.call(str(swap.pk))
    assert ended_as(swap, Status.SUCCEEDED)


def test_a_lost_answer_is_not_sent_again_but_waited_for_by_its_token(
    alice: User, settings: Settings
) -> None:
    with using_provider(settings, Behaviour(reply=CUT)) as provider:
        swap = send_swap(alice)
        assert swap.status == Status.PROCESSING
        run_step(swap, tasks.submit_swap)
        assert len(provider.swaps) == 1
        assert call_back(provider) == 202
        tasks.collect_result.call(str(swap.pk))
    assert ended_as(swap, Status.SUCCEEDED)
    assert spent(alice) == 1


def test_without_answer_and_callback_it_is_sent_once_more_after_the_deadline_with_the_same_key(
    alice: User, settings: Settings
) -> None:
    with using_provider(settings, [Behaviour(reply=CUT)]) as provider:
        swap = send_swap(alice)
        age_submission(swap, DEADLINE)
        run_step(swap, tasks.ask_provider)
        assert swap.status == Status.QUEUED
        tasks.submit_swap.call(str(swap.pk))
        assert len(provider.swaps) == 2
        assert len(provider.tasks) == 1  # it knew the key
        assert provider.task.is_done.wait(60)
        run_step(swap, tasks.ask_provider)
        tasks.collect_result.call(str(swap.pk))
    assert ended_as(swap, Status.SUCCEEDED)
    assert spent(alice) == 1


def test_one_that_gets_lost_twice_times_out_and_is_given_back_once(
    alice: User, settings: Settings
) -> None:
    with using_provider(settings, Behaviour(reply=CUT, starts=False)) as provider:
        swap = send_swap(alice)
        for _ in range(3):
            run_step(swap, tasks.ask_provider)
            run_step(swap, tasks.submit_swap)
        assert len(provider.swaps) == 2
    assert ended_as(swap, Status.FAILED, "timeout")
    assert spent(alice) == 0


def test_a_courier_that_died_while_sending_is_as_good_as_a_lost_answer(
    alice: User, settings: Settings
) -> None:
    with using_provider(settings) as provider:
        swap = request_hosted_swap(alice)
        submission = submission_of(swap)
        assert claim_turn(submission, timezone.now())  # and then it was killed
        tick(timezone.now())
        tasks.submit_swap.call(str(swap.pk))
        assert provider.swaps == []
        age_submission(swap, DEADLINE)
        run_step(swap, tasks.ask_provider)
        tasks.submit_swap.call(str(swap.pk))
        assert len(provider.swaps) == 1
        assert call_back(provider) == 202


# --- the picture ------------------------------------------------------------------------------


def test_a_picture_that_cannot_be_fetched_is_tried_again_as_long_as_it_may_be_there(
    alice: User, settings: Settings
) -> None:
    # Each step asks twice: whatever may pass is tried once more at once.
    with using_provider(settings, Behaviour(result_statuses=(503, 503, 503, 404))) as provider:
        swap = send_swap(alice)
        assert call_back(provider) == 202
        tasks.collect_result.call(str(swap.pk))
        assert ended_as(swap, Status.PROCESSING)
        for _ in range(3):
            run_step(swap, tasks.collect_result)
    assert ended_as(swap, Status.SUCCEEDED)
    assert spent(alice) == 1


def test_one_that_stays_away_fails_the_swap_when_its_url_has_ended(
    alice: User, settings: Settings
) -> None:
    with using_provider(settings, Behaviour(result_statuses=(500,) * 50)) as provider:
        swap = send_swap(alice)
        assert call_back(provider) == 202
        run_step(swap, tasks.collect_result)
        assert ended_as(swap, Status.PROCESSING)
        age_submission(swap, current.FACESWAP_HOSTED_RESULT_SECONDS)
        run_step(swap, tasks.collect_result)
    assert ended_as(swap, Status.FAILED, "api_error")
    assert spent(alice) == 0


def test_a_url_that_has_ended_is_asked_for_anew(alice: User, settings: Settings) -> None:
    with using_provider(settings) as provider:
        swap = send_swap(alice)
        assert call_back(provider, image_url=f"{provider.url}/pictures/gone.jpg") == 202
        tasks.collect_result.call(str(swap.pk))
        run_step(swap, tasks.collect_result)
    assert ended_as(swap, Status.SUCCEEDED)


@pytest.mark.parametrize(
    "behaviour",
    [
        Behaviour(result=b"<html>Sorry</html>"),
        Behaviour(size=(300, 400)),
        Behaviour(result_url="http://169.254.169.254/latest/meta-data"),
        Behaviour(result_url="https://elsewhere.example.org/picture.jpg"),
    ],
)
def test_what_is_not_the_picture_fails_the_swap_and_is_given_back(
    alice: User, settings: Settings, behaviour: Behaviour
) -> None:
    with using_provider(settings, behaviour) as provider:
        swap = send_swap(alice)
        assert call_back(provider) == 202
        tasks.collect_result.call(str(swap.pk))
    assert ended_as(swap, Status.FAILED, "api_error")
    assert spent(alice) == 0


def test_a_swap_that_was_deleted_meanwhile_leaves_no_picture(
    alice: User, settings: Settings
) -> None:
    with using_provider(settings) as provider:
        swap = send_swap(alice)
        assert call_back(provider) == 202
        remove_swap(swap)
        tasks.collect_result.call(str(swap.pk))
    assert ended_as(swap, Status.REMOVED)
    for key in swap.keys:
        with pytest.raises(FileNotFoundError):
            storage.read(key)


def test_an_account_that_was_deleted_meanwhile_breaks_nothing(
    alice: User, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with using_provider(settings):
        swap = send_swap(alice)
        pk = str(swap.pk)
        alice.delete()
        for task in (tasks.submit_swap, tasks.ask_provider, tasks.collect_result):
            task.call(pk)
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


# --- staff ------------------------------------------------------------------------------------


def test_staff_need_not_wait_for_the_deadline(alice: User, settings: Settings) -> None:
    with using_provider(settings) as provider:
        swap = send_swap(alice)
        assert provider.task.is_done.wait(60)
        assert enqueue_now(Submission.objects.all()) == [submission_of(swap)]
        tasks.ask_provider.call(str(swap.pk))
        tasks.collect_result.call(str(swap.pk))
    assert ended_as(swap, Status.SUCCEEDED)
    assert enqueue_now(Submission.objects.all()) == []


def test_what_the_provider_posted_is_kept_for_thirty_days(alice: User, settings: Settings) -> None:
    with using_provider(settings) as provider:
        send_swap(alice)
        call_back(provider, task_id="another")
    now = timezone.now()
    delete_expired_logs(now + datetime.timedelta(days=29))
    assert ProviderCallback.objects.count() == 1
    delete_expired_logs(now + datetime.timedelta(days=31))
    assert ProviderCallback.objects.count() == 0
