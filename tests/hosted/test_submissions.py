"""The way of a swap through a hosted provider, step by step; the provider is a real server."""

import datetime
import socket
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings as current
from django.core import signing
from django.utils import timezone
from pytest_django import Settings

from swaps import (
    images,
    provenance,
    provider_figures,
    recovery,
    services,
    storage,
    submissions,
    tasks,
)
from swaps.models import (
    HostedProvider,
    ProviderCallback,
    Quota,
    Stage,
    Status,
    Submission,
    Swap,
    User,
    Verdict,
)
from swaps.providers import hosted
from tests.hosted.ground import (
    DEADLINE,
    call_back,
    hosted_by,
    make_due,
    requested,
    sent,
    step,
    submission_of,
    use,
)
from tests.provider_server import Behaviour, Call, Reply, fails, refuses

pytestmark = pytest.mark.django_db
CUT = Reply(cut_at=0)  # the call arrived, and its answer did not


def spent(owner: User) -> int:
    quota: Quota = Quota.objects.of(owner)
    return quota.spent


def ended_as(swap: Swap, status: Status, code: str = "") -> bool:
    swap.refresh_from_db()
    return (swap.status, swap.error_code) == (status, code)


def enqueued_at(now: datetime.datetime) -> int:
    """How many swaps would be sent to the provider at that moment."""
    Submission.objects.filter(stage=Stage.NEW).update(enqueue_again_at=None)
    submissions.send_next(now)
    return Submission.objects.filter(stage=Stage.NEW, enqueue_again_at__isnull=False).count()


def travel(swap: Swap, seconds: float) -> None:
    """So much time has passed since anything happened to it."""
    ago = datetime.timedelta(seconds=seconds)
    submission = submission_of(swap)
    for name in ("created_at", "sent_at", "accepted_at", "answered_at", "signed_at", "due_at"):
        moment = getattr(submission, name)
        setattr(submission, name, moment and moment - ago)
    submission.save()


# --- the way that it goes ---------------------------------------------------------------------


def test_a_swap_is_sent_reported_and_collected(alice: User, settings: Settings) -> None:
    with hosted_by(settings) as provider:
        swap = sent(alice)
        assert swap.status == Status.PROCESSING
        assert submission_of(swap).task_id == provider.task.id
        assert call_back(provider) == 202
        tasks.collect_result.call(str(swap.pk))
    assert ended_as(swap, Status.SUCCEEDED)
    data = storage.read(swap.result_key)
    assert (swap.width, swap.height, swap.size) == (400, 300, len(data))
    assert images.dimensions(data) == (400, 300)
    assert provenance.is_marked(data)
    assert storage.read(storage.thumb_key(swap.result_key))
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

    with hosted_by(settings) as provider:
        swap = requested(alice)
        names()
        make_due(swap)
        recovery.tick(timezone.now())
        assert names() == ["submit_swap"]
        tasks.submit_swap.call(str(swap.pk))
        recovery.tick(timezone.now())
        assert names() == []  # it waits for its callback
        make_due(swap)
        recovery.tick(timezone.now())
        assert names() == ["ask_provider"]
        recovery.tick(timezone.now())
        assert names() == []  # its task is in the queue
        make_due(swap)
        assert call_back(provider) == 202
        recovery.tick(timezone.now())
        assert names() == ["collect_result"]


def test_each_task_may_run_twice_and_works_once(alice: User, settings: Settings) -> None:
    with hosted_by(settings) as provider:
        swap = sent(alice)
        tasks.submit_swap.call(str(swap.pk))
        assert len(provider.swaps) == 1
        assert call_back(provider) == 202
        tasks.collect_result.call(str(swap.pk))
        tasks.collect_result.call(str(swap.pk))
        tasks.ask_provider.call(str(swap.pk))
    assert ended_as(swap, Status.SUCCEEDED)
    assert provider.task.fetched == 1
    assert provider.questions == []


def test_a_provider_that_answers_with_the_picture_needs_no_callback(
    alice: User, settings: Settings
) -> None:
    with hosted_by(settings, Behaviour(is_synchronous=True)):
        swap = sent(alice)
        assert submission_of(swap).stage == Stage.ANSWERED
        tasks.collect_result.call(str(swap.pk))
    assert ended_as(swap, Status.SUCCEEDED)


def test_a_reported_failure_ends_the_swap_in_our_words_and_is_given_back(
    alice: User, settings: Settings
) -> None:
    with hosted_by(settings, fails("no_face", "keine Gesichter in target_image_url")) as provider:
        swap = sent(alice)
        assert call_back(provider) == 202
        tasks.collect_result.call(str(swap.pk))
    assert ended_as(swap, Status.FAILED, "no_face")
    assert swap.error_image == "target"
    assert "keine" not in swap.error_message
    assert spent(alice) == 0


def test_what_is_refused_for_good_ends_the_swap_at_once(alice: User, settings: Settings) -> None:
    with hosted_by(settings, refuses(403, "used_up", "Buy more credits.")) as provider:
        swap = sent(alice)
        assert len(provider.swaps) == 1
    assert ended_as(swap, Status.FAILED, "api_error")
    assert "credits" not in swap.error_message
    assert spent(alice) == 0


# --- what is refused for now ------------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_is_not_taken_now_is_sent_again_later_and_counts_once(
    alice: User, settings: Settings, status: int
) -> None:
    with hosted_by(settings, [refuses(status, "api_error")]) as provider:
        swap = sent(alice)
        assert (swap.status, swap.is_parked) == (Status.QUEUED, False)
        tasks.submit_swap.call(str(swap.pk))
        assert len(provider.swaps) == 1  # not before its pause is over
        HostedProvider.objects.update(rests_until=None)
        step(swap, tasks.submit_swap)
        assert len(provider.swaps) == 2
        assert call_back(provider) == 202
        tasks.collect_result.call(str(swap.pk))
    assert ended_as(swap, Status.SUCCEEDED)
    assert submission_of(swap).refusals == 1
    assert spent(alice) == 1


def test_the_same_request_is_sent_again_under_the_same_idempotency_key(
    alice: User, settings: Settings
) -> None:
    with hosted_by(settings, [refuses(500, "api_error")]) as provider:
        swap = sent(alice)
        step(swap, tasks.submit_swap)
    first, second = provider.swaps
    assert first.body == second.body
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]


def test_a_request_whose_urls_are_old_is_made_anew_under_another_key(
    alice: User, settings: Settings
) -> None:
    with hosted_by(settings, [refuses(500, "api_error")]) as provider:
        swap = sent(alice)
        travel(swap, 3600)
        step(swap, tasks.submit_swap)
    first, second = provider.swaps
    assert first.headers["idempotency-key"] != second.headers["idempotency-key"]


def test_however_soon_the_provider_says_the_pause_grows(alice: User, settings: Settings) -> None:
    with hosted_by(settings, refuses(429, "rate_limited", retry_after="0")):
        swap = sent(alice)
        for _ in range(3):
            HostedProvider.objects.update(rests_until=None)
            step(swap, tasks.submit_swap)
    due_at = submission_of(swap).due_at
    assert due_at
    assert due_at - timezone.now() > datetime.timedelta(seconds=7)


def test_after_five_more_attempts_a_swap_that_is_never_taken_fails_and_is_given_back(
    alice: User, settings: Settings
) -> None:
    with hosted_by(settings, refuses(429, "too_many_requests", retry_after="0")) as provider:
        swap = sent(alice)
        for _ in range(9):
            HostedProvider.objects.update(rests_until=None)
            step(swap, tasks.submit_swap)
        assert len(provider.swaps) == 6
    assert ended_as(swap, Status.FAILED, "api_error")
    assert spent(alice) == 0


def test_a_provider_that_wants_fewer_calls_gets_none_until_then(
    alice: User, settings: Settings
) -> None:
    with hosted_by(settings, [refuses(429, "rate_limited", retry_after="30")]) as provider:
        sent(alice)
        second = sent(alice)
        step(second, tasks.submit_swap)
        assert len(provider.swaps) == 1
        assert (second.status, second.is_parked) == (Status.QUEUED, False)
        assert enqueued_at(timezone.now() + datetime.timedelta(seconds=20)) == 0
        assert enqueued_at(timezone.now() + datetime.timedelta(seconds=40)) == 2


def test_refusals_for_want_of_room_are_not_held_against_a_swap_while_others_are_at_work(
    alice: User, settings: Settings
) -> None:
    busy = refuses(429, "too_many_requests", retry_after="0")
    with hosted_by(settings, [Behaviour(), *[busy] * 8]) as provider:
        sent(alice)
        swap = sent(alice)
        for _ in range(8):
            HostedProvider.objects.update(rests_until=None)
            step(swap, tasks.submit_swap)
        assert len(provider.swaps) == 10
    assert swap.status == Status.PROCESSING
    assert submission_of(swap).refusals == 0


# --- the breaker ------------------------------------------------------------------------------


@pytest.fixture
def dead_end(settings: Settings) -> str:
    """Where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    use(settings, url)
    return url


def open_breaker(owner: User) -> list[Swap]:
    return [sent(owner) for _ in range(5)]


def test_five_troubles_in_a_row_park_what_comes_and_nothing_more_is_sent(
    alice: User, dead_end: str
) -> None:
    open_breaker(alice)
    assert HostedProvider.objects.now().is_down
    swap = sent(alice)
    assert (swap.status, swap.is_parked, swap.progress) == (Status.QUEUED, True, "queued-parked")
    assert submission_of(swap).sends == 0
    assert spent(alice) == 6


def test_when_it_is_back_one_is_tried_and_then_all_go(
    alice: User, dead_end: str, settings: Settings
) -> None:
    swaps = open_breaker(alice)
    with hosted_by(settings) as provider:
        swap = sent(alice)
        assert provider.swaps == []  # nothing is tried before the pause is over
        HostedProvider.objects.update(open_until=timezone.now())
        step(swap, tasks.submit_swap)
        assert len(provider.swaps) == 1
        assert not HostedProvider.objects.now().is_down
        assert not swap.is_parked
        recovery.park_waiting(timezone.now())
        assert not Swap.objects.filter(is_parked=True).exists()
        for other in swaps:
            step(other, tasks.submit_swap)
        assert len(provider.swaps) == 6


def test_while_one_is_tried_the_others_wait(alice: User, dead_end: str) -> None:
    swaps = open_breaker(alice)
    HostedProvider.objects.update(open_until=timezone.now())
    step(swaps[0], tasks.submit_swap)  # the trial, which fails
    before = HostedProvider.objects.now().troubles
    step(swaps[1], tasks.submit_swap)
    assert HostedProvider.objects.now().troubles == before
    swaps[1].refresh_from_db()
    assert swaps[1].is_parked


def test_while_it_is_down_nobody_is_enqueued_but_one_for_the_trial(
    alice: User, dead_end: str
) -> None:
    swaps = open_breaker(alice)
    for swap in swaps:
        make_due(swap)
    assert enqueued_at(timezone.now()) == 0
    assert enqueued_at(timezone.now() + datetime.timedelta(seconds=31)) == 1


def test_a_picture_that_the_provider_breaks_on_is_given_back_and_holds_up_nobody(
    alice: User, settings: Settings
) -> None:
    poison = "nobody"

    def breaks_on_one(call: Call) -> Behaviour:
        is_poison = call.headers["idempotency-key"].startswith(poison)
        return refuses(500, "api_error") if is_poison else Behaviour()

    with hosted_by(settings, breaks_on_one) as provider:
        use(settings, provider.url, provider.key)
        first = requested(alice)
        poison = str(first.pk)
        for _ in range(5):
            step(first, tasks.submit_swap)
        assert HostedProvider.objects.now().is_down
        other = sent(alice)
        assert other.is_parked
        for swap in (first, other):
            make_due(swap)
        later = timezone.now() + datetime.timedelta(seconds=31)
        assert enqueued_at(later) == 1
        assert submission_of(other).enqueue_again_at  # not the oldest, which was tried before
        HostedProvider.objects.update(open_until=timezone.now())
        step(other, tasks.submit_swap)
        step(first, tasks.submit_swap)
    assert ended_as(first, Status.FAILED, "api_error")
    assert ended_as(other, Status.PROCESSING)


def test_a_trial_whose_task_is_lost_is_made_up_for_however_long_it_has_waited(
    alice: User, dead_end: str
) -> None:
    swap = open_breaker(alice)[0]
    Submission.objects.update(due_at=timezone.now() - datetime.timedelta(hours=5))
    later = timezone.now() + datetime.timedelta(seconds=31)
    assert enqueued_at(later) == 1
    submissions.send_next(later + datetime.timedelta(seconds=61))
    again_at = submission_of(swap).enqueue_again_at
    assert again_at
    assert again_at > later + datetime.timedelta(seconds=61)


def test_a_breaker_that_a_wrong_clock_has_set_far_away_holds_up_nobody(
    alice: User, settings: Settings
) -> None:
    with hosted_by(settings) as provider:
        HostedProvider.objects.now()
        far_away = timezone.now() + datetime.timedelta(days=3)
        HostedProvider.objects.update(open_until=far_away, rests_until=far_away, troubles=5)
        sent(alice)
        assert len(provider.swaps) == 1


def test_trials_are_not_held_against_the_swap(alice: User, dead_end: str) -> None:
    swap = open_breaker(alice)[-1]
    for _ in range(10):
        HostedProvider.objects.update(open_until=timezone.now())
        step(swap, tasks.submit_swap)
    assert ended_as(swap, Status.QUEUED)
    assert swap.is_parked


def test_one_that_was_parked_for_a_day_is_given_back(alice: User, dead_end: str) -> None:
    swap = open_breaker(alice)[-1]
    travel(swap, 25 * 3600)
    recovery.tick(timezone.now())
    assert ended_as(swap, Status.FAILED, "timeout")
    assert spent(alice) == 4


def test_those_that_wait_for_room_are_parked_when_it_goes_down(
    alice: User, settings: Settings
) -> None:
    settings.FACESWAP_HOSTED_IN_FLIGHT = 1
    with hosted_by(settings, Behaviour(callbacks=0)):
        at_work, *waiting = [sent(alice) for _ in range(4)]
        for _ in range(5):
            HostedProvider.objects.note_trouble(timezone.now(), "Down.")
        recovery.tick(timezone.now())
    parked = Swap.objects.filter(is_parked=True)
    assert set(parked) == set(waiting)
    assert ended_as(at_work, Status.PROCESSING)


def test_one_whose_outcome_came_all_the_same_does_not_stay_parked(
    alice: User, settings: Settings
) -> None:
    with hosted_by(settings, Behaviour(reply=CUT, callbacks=0)) as provider:
        swap = sent(alice)
        for _ in range(4):
            HostedProvider.objects.note_trouble(timezone.now(), "Down.")
        step(swap, tasks.ask_provider)
        assert swap.is_parked
        assert call_back(provider) == 202
    HostedProvider.objects.note_success(timezone.now())
    recovery.park_waiting(timezone.now())
    assert submission_of(swap).stage == Stage.ANSWERED
    assert ended_as(swap, Status.QUEUED)
    assert not swap.is_parked


def test_a_long_pause_is_kept(alice: User, settings: Settings) -> None:
    settings.FACESWAP_HOSTED_PAUSE_SECONDS = 7200
    with hosted_by(settings) as provider:
        for _ in range(5):
            HostedProvider.objects.note_trouble(timezone.now(), "Down.")
        assert sent(alice).is_parked
        assert not provider.swaps


def test_a_provider_that_says_itself_that_it_is_away_for_long_is_down_at_once(
    alice: User, settings: Settings
) -> None:
    away = refuses(503, "api_error", retry_after="600")
    with hosted_by(settings, [away]) as provider:
        swaps = [sent(alice) for _ in range(3)]
        assert len(provider.swaps) == 1
        assert all(swap.is_parked for swap in swaps)
        now = timezone.now()
        assert provider_figures.is_down(now + datetime.timedelta(minutes=9))
        assert enqueued_at(now + datetime.timedelta(minutes=9)) == 0
        assert enqueued_at(now + datetime.timedelta(minutes=11)) == 1
        HostedProvider.objects.update(open_until=now, rests_until=None)
        step(swaps[1], tasks.submit_swap)
        assert not HostedProvider.objects.now().is_down


def test_one_that_asks_for_a_short_pause_is_not_down(alice: User, settings: Settings) -> None:
    with hosted_by(settings, [refuses(503, "api_error", retry_after="5")]):
        assert not sent(alice).is_parked
        assert not HostedProvider.objects.now().is_down


def test_that_one_swap_is_refused_again_and_again_does_not_make_it_down(
    alice: User, settings: Settings
) -> None:
    settings.FACESWAP_HOSTED_PAUSE_SECONDS = 1
    with hosted_by(settings, refuses(503, "api_error")):
        swap = sent(alice)
        for _ in range(3):
            step(swap, tasks.submit_swap)
        assert submission_of(swap).refusals == 4
        assert not HostedProvider.objects.now().is_down


def test_links_work_for_as_long_as_the_provider_may_take(alice: User, settings: Settings) -> None:
    deadline = settings.FACESWAP_CALLBACK_DEADLINE
    with hosted_by(settings, Behaviour(callbacks=0)) as provider:
        settings.FACESWAP_CALLBACK_DEADLINE = deadline
        sent(alice)
        token = urlsplit(provider.task.request["target_image_url"]).path.split("/")[2]
    _, seconds = signing.loads(token, salt=storage.FILE_SALT)
    # As old as they may be when they are sent again, and then it is waited for and asked for.
    assert seconds >= hosted.SLACK.total_seconds() + (1 + submissions.PATIENCE) * deadline


def test_a_parked_swap_can_be_deleted(alice: User, dead_end: str) -> None:
    swap = open_breaker(alice)[-1]
    services.remove(swap)
    step(swap, tasks.submit_swap)
    assert ended_as(swap, Status.REMOVED)
    assert not swap.is_parked
    assert spent(alice) == 4


# --- no more at once than it can take ---------------------------------------------------------


def test_more_than_may_be_in_flight_wait_and_follow_in_their_order(
    alice: User, settings: Settings
) -> None:
    settings.FACESWAP_HOSTED_IN_FLIGHT = 2
    with hosted_by(settings) as provider:
        swaps = [sent(alice) for _ in range(4)]
        assert [swap.status for swap in swaps] == ["processing"] * 2 + ["queued"] * 2
        task = next(iter(provider.tasks.values()))
        assert task.is_done.wait(10)
        mine = Submission.objects.get(task_id=task.id)
        picture = {"image_url": "https://x.example.org/1", "due_at": timezone.now()}
        assert Submission.objects.record(mine.pk, task.id, **picture)
        submissions.send_next(timezone.now())
        hurried = Submission.objects.filter(enqueue_again_at__isnull=False, stage=Stage.NEW)
        assert [row.pk for row in hurried] == [swaps[2].pk]
        tasks.submit_swap.call(str(swaps[3].pk))  # whoever comes first is taken
        assert len(provider.swaps) == 3


def test_one_that_tries_its_luck_while_there_is_no_room_keeps_its_place(
    alice: User, settings: Settings
) -> None:
    settings.FACESWAP_HOSTED_IN_FLIGHT = 1
    with hosted_by(settings, Behaviour(callbacks=0)):
        _, first, second = [sent(alice) for _ in range(3)]
        tasks.submit_swap.call(str(first.pk))
        settings.FACESWAP_HOSTED_IN_FLIGHT = 2
        submissions.send_next(timezone.now())
        assert submission_of(first).enqueue_again_at
        assert not submission_of(second).enqueue_again_at


# --- what gets lost ---------------------------------------------------------------------------


def test_a_lost_callback_is_asked_for_after_the_deadline(alice: User, settings: Settings) -> None:
    with hosted_by(settings) as provider:
        swap = sent(alice)
        tasks.ask_provider.call(str(swap.pk))
        assert provider.questions == []  # not before its time
        assert provider.task.is_done.wait(10)
        step(swap, tasks.ask_provider)
        assert len(provider.questions) == 1
        tasks.collect_result.call(str(swap.pk))
    assert ended_as(swap, Status.SUCCEEDED)
    assert spent(alice) == 1


def test_a_lost_report_of_a_failure_is_asked_for_as_well(alice: User, settings: Settings) -> None:
    with hosted_by(settings, fails("no_face", "source_image_url")) as provider:
        swap = sent(alice)
        assert provider.task.is_done.wait(10)
        step(swap, tasks.ask_provider)
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
    with hosted_by(settings, **more) as provider:
        swap = sent(alice)
        step(swap, tasks.ask_provider)
        step(swap, tasks.ask_provider)
        assert call_back(provider) == 204  # too late
        tasks.collect_result.call(str(swap.pk))
    assert ended_as(swap, Status.FAILED, "timeout")
    assert spent(alice) == 0


def test_one_that_is_still_at_work_is_waited_for_but_not_for_ever(
    alice: User, settings: Settings
) -> None:
    with hosted_by(settings, Behaviour(works_for=60)) as provider:
        swap = sent(alice)
        travel(swap, DEADLINE)
        step(swap, tasks.ask_provider)
        assert ended_as(swap, Status.PROCESSING)
        travel(swap, 4 * DEADLINE)
        step(swap, tasks.ask_provider)
        assert len(provider.questions) == 2
    assert ended_as(swap, Status.FAILED, "timeout")
    assert spent(alice) == 0


def test_asking_is_tried_again_when_the_provider_is_in_trouble(
    alice: User, settings: Settings
) -> None:
    with hosted_by(settings, asked=[Reply(status=500), Reply(cut_at=0)]) as provider:
        swap = sent(alice)
        assert provider.task.is_done.wait(10)
        for _ in range(3):
            step(swap, tasks.ask_provider)
        tasks.collect_result.call(str(swap.pk))
    assert ended_as(swap, Status.SUCCEEDED)


def test_a_lost_answer_is_not_sent_again_but_waited_for_by_its_token(
    alice: User, settings: Settings
) -> None:
    with hosted_by(settings, Behaviour(reply=CUT)) as provider:
        swap = sent(alice)
        assert swap.status == Status.PROCESSING
        step(swap, tasks.submit_swap)
        assert len(provider.swaps) == 1
        assert call_back(provider) == 202
        tasks.collect_result.call(str(swap.pk))
    assert ended_as(swap, Status.SUCCEEDED)
    assert spent(alice) == 1


def test_without_answer_and_callback_it_is_sent_once_more_after_the_deadline_with_the_same_key(
    alice: User, settings: Settings
) -> None:
    with hosted_by(settings, [Behaviour(reply=CUT)]) as provider:
        swap = sent(alice)
        travel(swap, DEADLINE)
        step(swap, tasks.ask_provider)
        assert swap.status == Status.QUEUED
        tasks.submit_swap.call(str(swap.pk))
        assert len(provider.swaps) == 2
        assert len(provider.tasks) == 1  # it knew the key
        assert provider.task.is_done.wait(10)
        step(swap, tasks.ask_provider)
        tasks.collect_result.call(str(swap.pk))
    assert ended_as(swap, Status.SUCCEEDED)
    assert spent(alice) == 1


def test_one_that_gets_lost_twice_times_out_and_is_given_back_once(
    alice: User, settings: Settings
) -> None:
    with hosted_by(settings, Behaviour(reply=CUT, starts=False)) as provider:
        swap = sent(alice)
        for _ in range(3):
            step(swap, tasks.ask_provider)
            step(swap, tasks.submit_swap)
        assert len(provider.swaps) == 2
    assert ended_as(swap, Status.FAILED, "timeout")
    assert spent(alice) == 0


def test_a_courier_that_died_while_sending_is_as_good_as_a_lost_answer(
    alice: User, settings: Settings
) -> None:
    with hosted_by(settings) as provider:
        swap = requested(alice)
        submission = submission_of(swap)
        assert submissions._take_turn(submission, timezone.now())  # and then it was killed
        recovery.tick(timezone.now())
        tasks.submit_swap.call(str(swap.pk))
        assert provider.swaps == []
        travel(swap, DEADLINE)
        step(swap, tasks.ask_provider)
        tasks.submit_swap.call(str(swap.pk))
        assert len(provider.swaps) == 1
        assert call_back(provider) == 202


# --- the picture ------------------------------------------------------------------------------


def test_a_picture_that_cannot_be_fetched_is_tried_again_as_long_as_it_may_be_there(
    alice: User, settings: Settings
) -> None:
    # Each step asks twice: whatever may pass is tried once more at once.
    with hosted_by(settings, Behaviour(result_statuses=(503, 503, 503, 404))) as provider:
        swap = sent(alice)
        assert call_back(provider) == 202
        tasks.collect_result.call(str(swap.pk))
        assert ended_as(swap, Status.PROCESSING)
        for _ in range(3):
            step(swap, tasks.collect_result)
    assert ended_as(swap, Status.SUCCEEDED)
    assert spent(alice) == 1


def test_one_that_stays_away_fails_the_swap_when_its_url_has_ended(
    alice: User, settings: Settings
) -> None:
    with hosted_by(settings, Behaviour(result_statuses=(500,) * 50)) as provider:
        swap = sent(alice)
        assert call_back(provider) == 202
        step(swap, tasks.collect_result)
        assert ended_as(swap, Status.PROCESSING)
        travel(swap, current.FACESWAP_HOSTED_RESULT_SECONDS)
        step(swap, tasks.collect_result)
    assert ended_as(swap, Status.FAILED, "api_error")
    assert spent(alice) == 0


def test_a_url_that_has_ended_is_asked_for_anew(alice: User, settings: Settings) -> None:
    with hosted_by(settings) as provider:
        swap = sent(alice)
        assert call_back(provider, image_url=f"{provider.url}/pictures/gone.jpg") == 202
        tasks.collect_result.call(str(swap.pk))
        step(swap, tasks.collect_result)
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
    with hosted_by(settings, behaviour) as provider:
        swap = sent(alice)
        assert call_back(provider) == 202
        tasks.collect_result.call(str(swap.pk))
    assert ended_as(swap, Status.FAILED, "api_error")
    assert spent(alice) == 0


def test_a_swap_that_was_deleted_meanwhile_leaves_no_picture(
    alice: User, settings: Settings
) -> None:
    with hosted_by(settings) as provider:
        swap = sent(alice)
        assert call_back(provider) == 202
        services.remove(swap)
        tasks.collect_result.call(str(swap.pk))
    assert ended_as(swap, Status.REMOVED)
    for key in swap.keys:
        with pytest.raises(FileNotFoundError):
            storage.read(key)


def test_an_account_that_was_deleted_meanwhile_breaks_nothing(
    alice: User, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with hosted_by(settings):
        swap = sent(alice)
        pk = str(swap.pk)
        alice.delete()
        for task in (tasks.submit_swap, tasks.ask_provider, tasks.collect_result):
            task.call(pk)
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


# --- staff ------------------------------------------------------------------------------------


def test_staff_need_not_wait_for_the_deadline(alice: User, settings: Settings) -> None:
    with hosted_by(settings) as provider:
        swap = sent(alice)
        assert provider.task.is_done.wait(10)
        assert submissions.ask_again(Submission.objects.all()) == [submission_of(swap)]
        tasks.ask_provider.call(str(swap.pk))
        tasks.collect_result.call(str(swap.pk))
    assert ended_as(swap, Status.SUCCEEDED)
    assert submissions.ask_again(Submission.objects.all()) == []


def test_what_the_provider_posted_is_kept_for_thirty_days(alice: User, settings: Settings) -> None:
    with hosted_by(settings) as provider:
        sent(alice)
        call_back(provider, task_id="another")
    now = timezone.now()
    recovery.forget_calls(now + datetime.timedelta(days=29))
    assert ProviderCallback.objects.count() == 1
    recovery.forget_calls(now + datetime.timedelta(days=31))
    assert ProviderCallback.objects.count() == 0
