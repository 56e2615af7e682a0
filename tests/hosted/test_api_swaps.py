"""Swaps that come in by the site's own API may be performed by a hosted provider as well."""

import uuid

import pytest
from PIL import Image
from pytest_django import Settings

from swaps import images, links, storage, tasks
from swaps.models import ApiAccess, Delivery, Swap, User
from tests.api_caller import ASYNC, SAMPLES, Caller
from tests.hosted.steps import call_back, submission_of, using_provider
from tests.provider_server import fails, jpeg

pytestmark = pytest.mark.django_db


@pytest.fixture
def caller(alice: User, settings: Settings) -> Caller:
    settings.FACESWAP_API_PROVIDER = "hosted"
    return Caller(alice)


def test_a_call_is_handed_on_and_its_caller_gets_our_picture(
    caller: Caller, settings: Settings
) -> None:
    with using_provider(settings) as provider:
        settings.FACESWAP_PROVIDER = "embedded"  # the browser's, which is no concern of this one
        accepted = caller.swap({**SAMPLES, "callback_url": "https://example.org/done"}).json()
        swap = Swap.objects.get(pk=accepted["task_id"])
        assert (swap.door, swap.provider) == ("api", "hosted")
        tasks.submit_swap.call(str(swap.pk))
        assert provider.task.is_done.wait(60)
        size = images.dimensions(storage.read(swap.target_key))
        provider.task.result = jpeg(Image.new("RGB", size, "olive"))
        assert call_back(provider) == 202
        tasks.collect_result.call(str(swap.pk))
        response = caller.tasks({"id": str(swap.pk), "action": "retrieve"}).json()["response"]
    assert response["success"] is True
    assert provider.url not in response["image_url"]
    assert (response["image_width"], response["image_height"]) == size
    assert Delivery.objects.get().swap_id == swap.pk


def test_a_site_that_is_its_own_provider_refuses_its_own_call(caller: Caller) -> None:
    """However it came to that: by an address that no check knows for its own."""
    answer = caller.swap({**SAMPLES, "callback_url": links.callback_url(uuid.uuid4())})
    assert answer.status_code == 400
    assert "FACESWAP_HOSTED_URL" in answer.json()["error"]["message"]
    assert not Swap.objects.exists()


def test_a_failure_there_is_told_in_the_contracts_words_and_given_back(
    caller: Caller, settings: Settings
) -> None:
    with using_provider(settings, fails("no_face", "target_image_url: none")) as provider:
        swap = Swap.objects.get(pk=caller.swap(ASYNC).json()["task_id"])
        tasks.submit_swap.call(str(swap.pk))
        assert call_back(provider) == 202
        tasks.collect_result.call(str(swap.pk))
        response = caller.tasks({"id": str(swap.pk), "action": "retrieve"}).json()["response"]
    assert response["error"]["code"] == "no_face"
    assert "target_image_url" in response["error"]["message"]
    assert ApiAccess.objects.get_or_grant(caller.user).spent == 0
    assert submission_of(swap).stage == "ended"
