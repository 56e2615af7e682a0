"""What may have begun is not taken for a refusal, however its answer is lost."""

import time

import pytest
from pytest_django import Settings

from swaps.providers.base import (
    Accepted,
    ResponseLost,
)
from tests.hosted.provider_calls import MISBEHAVIOURS, SHORT, SLACK, WHOLE, submit
from tests.net_servers import serving
from tests.provider_server import (
    KEY,
    Behaviour,
    Reply,
    running_provider,
)

pytestmark = pytest.mark.usefixtures("the_key_is_good")


@pytest.mark.parametrize("how", MISBEHAVIOURS)
def test_what_may_have_begun_is_not_taken_for_a_refusal(how: str, settings: Settings) -> None:
    settings.FACESWAP_HOSTED_TIMEOUT_SECONDS = SHORT
    begun = time.monotonic()
    with serving(MISBEHAVIOURS[how]) as server, pytest.raises(ResponseLost) as trouble:
        submit(settings, f"http://127.0.0.1:{server.port}")
    assert time.monotonic() - begun < SLACK
    assert server.seen == 1
    assert trouble.value.message
    assert KEY not in trouble.value.message


@pytest.mark.parametrize("starts", [True, False])
def test_what_the_provider_began_cannot_be_seen_from_an_answer_that_is_lost(
    starts: bool, settings: Settings
) -> None:
    behaviour = Behaviour(starts=starts, reply=Reply(cut_at=0))
    with running_provider(behaviour) as provider, pytest.raises(ResponseLost):
        submit(settings, provider)
    assert len(provider.tasks) == int(starts)


def test_a_kept_connection_that_breaks_is_not_tried_again(settings: Settings) -> None:
    """The provider may have begun before it broke off."""
    with running_provider([Behaviour(), Behaviour(reply=Reply(cut_at=10))]) as provider:
        submit(settings, provider)
        with pytest.raises(ResponseLost):
            submit(settings, provider)
        assert len(provider.swaps) == 2
        assert {call.connection for call in provider.swaps} == {0}
        submit(settings, provider)


def test_what_drips_over_a_kept_connection_is_cut_as_well(settings: Settings) -> None:
    settings.FACESWAP_HOSTED_TIMEOUT_SECONDS = SHORT
    begun = time.monotonic()
    with running_provider([Behaviour(), Behaviour(reply=Reply(drip=0.1))]) as provider:
        submit(settings, provider)
        with pytest.raises(ResponseLost, match="no whole answer"):
            submit(settings, provider)
    assert {call.connection for call in provider.swaps} == {0}
    assert time.monotonic() - begun < SLACK


def test_an_answer_that_comes_in_drops_is_taken_if_it_comes_in_time(settings: Settings) -> None:
    with running_provider(Behaviour(reply=Reply(drip=0.001, body=WHOLE))) as provider:
        assert submit(settings, provider) == Accepted(task_id="a-task")
