"""A provider that is down, or has enough to do: who waits, and who is told so."""

import datetime
import socket
from urllib.parse import urlsplit

import pytest
from django.core import signing
from django.utils import timezone
from pytest_django import Settings

from swaps import storage, tasks
from swaps.clock.recovery import park_waiting
from swaps.clock.steps import tick
from swaps.hosted import client, status
from swaps.hosted.retry_policy import MAX_DEADLINES
from swaps.hosted.schedule import enqueue_waiting
from swaps.lifecycle.remove import remove_swap
from swaps.models import (
    HostedProvider,
    Stage,
    Status,
    Submission,
    Swap,
    User,
)
from tests.hosted.steps import (
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
    use,
    using_provider,
)
from tests.provider_server import Behaviour, ReceivedCall, Reply, refuses

pytestmark = pytest.mark.django_db
CUT = Reply(cut_at=0)  # the call arrived, and its answer did not


# --- the breaker ------------------------------------------------------------------------------


@pytest.fixture
def dead_end(settings: Settings) -> str:
    """Where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    use(settings, url)
    return url


def open_breaker(owner: User) -> list[Swap]:
    return [send_swap(owner) for _ in range(5)]


def test_five_troubles_in_a_row_park_what_comes_and_nothing_more_is_sent(
    alice: User, dead_end: str
) -> None:
    open_breaker(alice)
    assert HostedProvider.objects.current().is_down
    swap = send_swap(alice)
    assert (swap.status, swap.is_parked, swap.progress) == (Status.QUEUED, True, "queued-parked")
    assert submission_of(swap).sends == 0
    assert spent(alice) == 6


def test_when_it_is_back_one_is_tried_and_then_all_go(
    alice: User, dead_end: str, settings: Settings
) -> None:
    swaps = open_breaker(alice)
    with using_provider(settings) as provider:
        swap = send_swap(alice)
        assert provider.swaps == []  # nothing is tried before the pause is over
        HostedProvider.objects.update(open_until=timezone.now())
        run_step(swap, tasks.submit_swap)
        assert len(provider.swaps) == 1
        assert not HostedProvider.objects.current().is_down
        assert not swap.is_parked
        park_waiting(timezone.now())
        assert not Swap.objects.filter(is_parked=True).exists()
        for other in swaps:
            run_step(other, tasks.submit_swap)
        assert len(provider.swaps) == 6


def test_while_one_is_tried_the_others_wait(alice: User, dead_end: str) -> None:
    swaps = open_breaker(alice)
    HostedProvider.objects.update(open_until=timezone.now())
    run_step(swaps[0], tasks.submit_swap)  # the trial, which fails
    before = HostedProvider.objects.current().troubles
    run_step(swaps[1], tasks.submit_swap)
    assert HostedProvider.objects.current().troubles == before
    swaps[1].refresh_from_db()
    assert swaps[1].is_parked


def test_while_it_is_down_nobody_is_enqueued_but_one_for_the_trial(
    alice: User, dead_end: str
) -> None:
    swaps = open_breaker(alice)
    for swap in swaps:
        make_due(swap)
    assert count_enqueued(timezone.now()) == 0
    assert count_enqueued(timezone.now() + datetime.timedelta(seconds=31)) == 1


def test_a_picture_that_the_provider_breaks_on_is_given_back_and_holds_up_nobody(
    alice: User, settings: Settings
) -> None:
    poison = "nobody"

    def breaks_on_one(call: ReceivedCall) -> Behaviour:
        is_poison = call.headers["idempotency-key"].startswith(poison)
        return refuses(500, "api_error") if is_poison else Behaviour()

    with using_provider(settings, breaks_on_one) as provider:
        use(settings, provider.url, provider.key)
        first = request_hosted_swap(alice)
        poison = str(first.pk)
        for _ in range(5):
            run_step(first, tasks.submit_swap)
        assert HostedProvider.objects.current().is_down
        other = send_swap(alice)
        assert other.is_parked
        for swap in (first, other):
            make_due(swap)
        later = timezone.now() + datetime.timedelta(seconds=31)
        assert count_enqueued(later) == 1
        assert submission_of(other).enqueue_again_at  # not the oldest, which was tried before
        HostedProvider.objects.update(open_until=timezone.now())
        run_step(other, tasks.submit_swap)
        run_step(first, tasks.submit_swap)
    assert ended_as(first, Status.FAILED, "api_error")
    assert ended_as(other, Status.PROCESSING)


def test_a_trial_whose_task_is_lost_is_made_up_for_however_long_it_has_waited(
    alice: User, dead_end: str
) -> None:
    swap = open_breaker(alice)[0]
    Submission.objects.update(due_at=timezone.now() - datetime.timedelta(hours=5))
    later = timezone.now() + datetime.timedelta(seconds=31)
    assert count_enqueued(later) == 1
    enqueue_waiting(later + datetime.timedelta(seconds=61))
    again_at = submission_of(swap).enqueue_again_at
    assert again_at
    assert again_at > later + datetime.timedelta(seconds=61)


def test_a_breaker_that_a_wrong_clock_has_set_far_away_holds_up_nobody(
    alice: User, settings: Settings
) -> None:
    with using_provider(settings) as provider:
        HostedProvider.objects.current()
        far_away = timezone.now() + datetime.timedelta(days=3)
        HostedProvider.objects.update(open_until=far_away, rests_until=far_away, troubles=5)
        send_swap(alice)
        assert len(provider.swaps) == 1


def test_trials_are_not_held_against_the_swap(alice: User, dead_end: str) -> None:
    swap = open_breaker(alice)[-1]
    for _ in range(10):
        HostedProvider.objects.update(open_until=timezone.now())
        run_step(swap, tasks.submit_swap)
    assert ended_as(swap, Status.QUEUED)
    assert swap.is_parked


def test_one_that_was_parked_for_a_day_is_given_back(alice: User, dead_end: str) -> None:
    swap = open_breaker(alice)[-1]
    age_submission(swap, 25 * 3600)
    tick(timezone.now())
    assert ended_as(swap, Status.FAILED, "timeout")
    assert spent(alice) == 4


def test_those_that_wait_for_room_are_parked_when_it_goes_down(
    alice: User, settings: Settings
) -> None:
    settings.FACESWAP_HOSTED_IN_FLIGHT = 1
    with using_provider(settings, Behaviour(callbacks=0)):
        at_work, *waiting = [send_swap(alice) for _ in range(4)]
        for _ in range(5):
            HostedProvider.objects.record_failure(timezone.now(), {"code": "provider.refused"})
        tick(timezone.now())
    parked = Swap.objects.filter(is_parked=True)
    assert set(parked) == set(waiting)
    assert ended_as(at_work, Status.PROCESSING)


def test_one_whose_outcome_came_all_the_same_does_not_stay_parked(
    alice: User, settings: Settings
) -> None:
    with using_provider(settings, Behaviour(reply=CUT, callbacks=0)) as provider:
        swap = send_swap(alice)
        for _ in range(4):
            HostedProvider.objects.record_failure(timezone.now(), {"code": "provider.refused"})
        run_step(swap, tasks.ask_provider)
        assert swap.is_parked
        assert call_back(provider) == 202
    HostedProvider.objects.record_success(timezone.now())
    park_waiting(timezone.now())
    assert submission_of(swap).stage == Stage.ANSWERED
    assert ended_as(swap, Status.QUEUED)
    assert not swap.is_parked


def test_a_long_pause_is_kept(alice: User, settings: Settings) -> None:
    settings.FACESWAP_HOSTED_PAUSE_SECONDS = 7200
    with using_provider(settings) as provider:
        for _ in range(5):
            HostedProvider.objects.record_failure(timezone.now(), {"code": "provider.refused"})
        assert send_swap(alice).is_parked
        assert not provider.swaps


def test_a_provider_that_says_itself_that_it_is_away_for_long_is_down_at_once(
    alice: User, settings: Settings
) -> None:
    away = refuses(503, "api_error", retry_after="600")
    with using_provider(settings, [away]) as provider:
        swaps = [send_swap(alice) for _ in range(3)]
        assert len(provider.swaps) == 1
        assert all(swap.is_parked for swap in swaps)
        now = timezone.now()
        assert status.is_down(now + datetime.timedelta(minutes=9))
        assert count_enqueued(now + datetime.timedelta(minutes=9)) == 0
        assert count_enqueued(now + datetime.timedelta(minutes=11)) == 1
        HostedProvider.objects.update(open_until=now, rests_until=None)
        run_step(swaps[1], tasks.submit_swap)
        assert not HostedProvider.objects.current().is_down


def test_one_that_asks_for_a_short_pause_is_not_down(alice: User, settings: Settings) -> None:
    with using_provider(settings, [refuses(503, "api_error", retry_after="5")]):
        assert not send_swap(alice).is_parked
        assert not HostedProvider.objects.current().is_down


def test_that_one_swap_is_refused_again_and_again_does_not_make_it_down(
    alice: User, settings: Settings
) -> None:
    settings.FACESWAP_HOSTED_PAUSE_SECONDS = 1
    with using_provider(settings, refuses(503, "api_error")):
        swap = send_swap(alice)
        for _ in range(3):
            run_step(swap, tasks.submit_swap)
        assert submission_of(swap).refusals == 4
        assert not HostedProvider.objects.current().is_down


def test_links_work_for_as_long_as_the_provider_may_take(alice: User, settings: Settings) -> None:
    deadline = settings.FACESWAP_CALLBACK_DEADLINE
    with using_provider(settings, Behaviour(callbacks=0)) as provider:
        settings.FACESWAP_CALLBACK_DEADLINE = deadline
        send_swap(alice)
        token = urlsplit(provider.task.request["target_image_url"]).path.split("/")[2]
    _, seconds = signing.loads(token, salt=storage.FILE_SALT)
    # As old as they may be when they are sent again, and then it is waited for and asked for.
    assert seconds >= client.URL_SLACK.total_seconds() + (1 + MAX_DEADLINES) * deadline


def test_a_parked_swap_can_be_deleted(alice: User, dead_end: str) -> None:
    swap = open_breaker(alice)[-1]
    remove_swap(swap)
    run_step(swap, tasks.submit_swap)
    assert ended_as(swap, Status.REMOVED)
    assert not swap.is_parked
    assert spent(alice) == 4


# --- no more at once than it can take ---------------------------------------------------------


def test_more_than_may_be_in_flight_wait_and_follow_in_their_order(
    alice: User, settings: Settings
) -> None:
    settings.FACESWAP_HOSTED_IN_FLIGHT = 2
    with using_provider(settings) as provider:
        swaps = [send_swap(alice) for _ in range(4)]
        assert [swap.status for swap in swaps] == ["processing"] * 2 + ["queued"] * 2
        task = next(iter(provider.tasks.values()))
        assert task.is_done.wait(60)
        mine = Submission.objects.get(task_id=task.id)
        picture = {"image_url": "https://x.example.org/1", "due_at": timezone.now()}
        assert Submission.objects.record(mine.pk, task.id, **picture)
        enqueue_waiting(timezone.now())
        hurried = Submission.objects.filter(enqueue_again_at__isnull=False, stage=Stage.NEW)
        assert [row.pk for row in hurried] == [swaps[2].pk]
        tasks.submit_swap.call(str(swaps[3].pk))  # whoever comes first is taken
        assert len(provider.swaps) == 3


def test_one_that_tries_its_luck_while_there_is_no_room_keeps_its_place(
    alice: User, settings: Settings
) -> None:
    settings.FACESWAP_HOSTED_IN_FLIGHT = 1
    with using_provider(settings, Behaviour(callbacks=0)):
        _, first, second = [send_swap(alice) for _ in range(3)]
        tasks.submit_swap.call(str(first.pk))
        settings.FACESWAP_HOSTED_IN_FLIGHT = 2
        enqueue_waiting(timezone.now())
        assert submission_of(first).enqueue_again_at
        assert not submission_of(second).enqueue_again_at
