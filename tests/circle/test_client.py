"""Our client of the contract against our server of it: one says what the other understands."""

import uuid

import pytest
from pytest_django import Settings

from swaps import errors, messages, storage
from swaps.hosted import client, parser
from swaps.provenance import xmp
from swaps.providers.base import Accepted, Answered, RemoteRequest
from tests.paths import NO_FACE as FACELESS
from tests.paths import SOURCE, TARGET
from tests.receiver import Inbox, Receiver
from tests.running_site import RunningSite


@pytest.fixture
def inbox(receiver: Receiver) -> Inbox:
    return receiver.inbox()


@pytest.fixture(autouse=True)
def _client(settings: Settings, provider: RunningSite, key: str) -> None:
    settings.FACESWAP_HOSTED_URL = provider.url
    settings.FACESWAP_HOSTED_KEY = key
    settings.FACESWAP_HOSTED_RESULT_HOSTS = [provider.url.removeprefix("http://")]


def request_of(
    receiver: Receiver, inbox: Inbox, source: str = SOURCE.name, target: str = TARGET.name
) -> RemoteRequest:
    return RemoteRequest(
        source_image_url=receiver.photo(source),
        target_image_url=receiver.photo(target),
        callback_url=inbox.url,
        idempotency_key=uuid.uuid4().hex,
    )


def submit(request: RemoteRequest) -> str:
    outcome = client.submit(request)
    assert isinstance(outcome, Accepted)
    return outcome.task_id


def test_a_swap_is_accepted_reported_asked_for_and_fetched(
    receiver: Receiver, inbox: Inbox, provider: RunningSite
) -> None:
    with provider.resting_worker():
        task_id = submit(request_of(receiver, inbox))
        assert client.get_task(task_id) == Accepted(task_id=task_id)

    [callback] = inbox.wait_for(1)
    outcome = parser.parse_callback(callback.body)
    answered = client.get_task(task_id)

    assert outcome.task_id == task_id
    assert isinstance(answered, Answered)
    storage.put("swaps/1/target.jpg", TARGET.read_bytes())
    for url in (outcome.image_url, answered.image_url):
        finished = client.fetch_result(url, target_key="swaps/1/target.jpg")
        assert xmp.is_marked(finished.data)


@pytest.mark.parametrize("image", ["source", "target"])
def test_a_photo_without_a_face_is_named_by_callback_and_answer(
    receiver: Receiver, inbox: Inbox, image: errors.ImageName
) -> None:
    task_id = submit(request_of(receiver, inbox, **{image: FACELESS.name}))
    [callback] = inbox.wait_for(1)
    outcome = parser.parse_callback(callback.body)

    with pytest.raises(errors.NoFace) as asked:
        client.get_task(task_id)

    reported = client.to_swap_error(outcome.error_code, outcome.error_message)
    assert isinstance(reported, errors.NoFace)
    shown = {(error.message, error.image) for error in (reported, asked.value)}
    assert shown == {(messages.TEXTS[f"no_face.{image}"], image)}


def test_a_photo_that_cannot_be_fetched_is_a_failure_in_words_for_people(
    receiver: Receiver, inbox: Inbox
) -> None:
    submit(request_of(receiver, inbox, source="not-there.jpg"))
    [callback] = inbox.wait_for(1)
    outcome = parser.parse_callback(callback.body)
    assert outcome.error_code == "bad_request"
    error = client.to_swap_error(outcome.error_code, outcome.error_message)
    assert isinstance(error, errors.ApiError)
    assert "not-there" not in error.message


def test_the_same_request_again_is_the_same_task(receiver: Receiver, inbox: Inbox) -> None:
    request = request_of(receiver, inbox)
    assert submit(request) == submit(request)
    inbox.wait_for(1)


def test_a_wrong_key_is_the_operators_concern(
    receiver: Receiver, inbox: Inbox, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.FACESWAP_HOSTED_KEY = f"fs_{'wrong' * 8}"
    with pytest.raises(errors.ApiError, match="operator"):
        client.submit(request_of(receiver, inbox))
    with pytest.raises(errors.ApiError, match="operator"):
        client.get_task(str(uuid.uuid4()))
    assert "invalid_token" in caplog.text
    assert "wrong" not in caplog.text


def test_a_task_that_is_not_ours_or_nobodys_is_not_found(provider: RunningSite) -> None:
    with pytest.raises(errors.NotFound):
        client.get_task(str(uuid.uuid4()))


def test_a_picture_from_another_host_is_not_fetched(receiver: Receiver) -> None:
    storage.put("swaps/1/target.jpg", TARGET.read_bytes())
    fetched = list(receiver.fetched)
    with pytest.raises(errors.ApiError):
        client.fetch_result(receiver.photo(TARGET.name), target_key="swaps/1/target.jpg")
    assert receiver.fetched == fetched
