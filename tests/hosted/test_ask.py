"""``ask``: what a provider says of a task."""

import contextlib
import json
from collections.abc import Iterator

import pytest
from pytest_django import Settings

from swaps import errors
from swaps.hosted import client
from swaps.providers.base import (
    Accepted,
    Answered,
    RetryLater,
)
from tests.hosted.provider_calls import HTML, MISBEHAVIOURS, SHORT, ask, error, submit
from tests.net_servers import answer, says, serving
from tests.provider_server import (
    Behaviour,
    Offer,
    Reply,
    fails,
    running_provider,
)

pytestmark = pytest.mark.usefixtures("the_key_is_good")


@contextlib.contextmanager
def says_of_tasks(body: object, status: int = 200) -> Iterator[str]:
    """The URL of a provider that says this of every task."""
    with serving(says(answer(json.dumps(body).encode(), status=status))) as server:
        yield f"http://127.0.0.1:{server.port}"


def test_a_task_that_is_worked_on_is_accepted_still(settings: Settings) -> None:
    with running_provider(Behaviour(works_for=60)) as provider:
        outcome = submit(settings, provider)
        assert ask(settings, provider, outcome.task_id) == outcome


def test_a_task_that_has_ended_shows_its_picture(settings: Settings) -> None:
    with running_provider() as provider:
        task_id = submit(settings, provider).task_id
        provider.task.is_done.wait(60)
        url = f"{provider.url}/results/{task_id}.jpg"
        assert ask(settings, provider, task_id) == Answered(task_id=task_id, image_url=url)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("no_face", errors.NoFace),
        ("invalid_image", errors.InvalidImage),
        ("forbidden", errors.Forbidden),
        ("timeout", errors.Timeout),
        ("api_error", errors.ApiError),
        ("not_found", errors.ApiError),
    ],
)
def test_a_task_that_has_failed_says_why(
    code: str, kind: type[errors.SwapError], settings: Settings
) -> None:
    with running_provider(fails(code, "In target_image_url.")) as provider:
        task_id = submit(settings, provider).task_id
        provider.task.is_done.wait(60)
        with pytest.raises(kind) as failure:
            ask(settings, provider, task_id)
    assert "target_image_url" not in failure.value.message


def test_a_task_that_the_provider_has_forgotten_is_not_found(settings: Settings) -> None:
    with running_provider(Behaviour(is_forgotten=True)) as provider:
        task_id = submit(settings, provider).task_id
        with pytest.raises(errors.NotFound):
            ask(settings, provider, task_id)


@pytest.mark.parametrize("tasks_are", ["api_not_implemented", "no_api", "method_not_allowed"])
def test_a_provider_that_tells_nothing_of_its_tasks_is_known_by_that(
    tasks_are: Offer, settings: Settings
) -> None:
    with running_provider(tasks_are=tasks_are) as provider, pytest.raises(errors.ApiNotImplemented):
        ask(settings, provider)


RUNNING = [
    {"id": "a-task", "status": "processing", "request": {"image_url": "https://a.example/b.jpg"}},
    {"id": "a-task", "request": {"source_image_url": "https://a.example/b.jpg"}},
    {"id": "a-task", "response": None},
    {"id": "a-task", "response": {}, "finished_at": None},
    {"id": "a-task", "response": {"state": "Queued", "image_url": "https://a.example/b.jpg"}},
    {"task_id": "a-task", "status": "succeeding"},
]
ENDED = [
    {"id": "a-task", "response": {"image_url": "https://a.example/b.jpg"}},
    {"id": "a-task", "status": "SUCCEEDED", "image_url": "https://a.example/b.jpg"},
    {"task_id": "a-task", "success": True, "image_url": "https://a.example/b.jpg"},
    {"image_url": "https://a.example/b.jpg"},
    {
        "id": "a-row",
        "request": {"image_url": "https://a.example/wrong.jpg"},
        "response": {
            "task_id": "a-task",
            "data": [{"state": "succeeded", "image_url": "https://a.example/b.jpg"}],
        },
    },
]
FAILED = [
    {"id": "a-task", "response": {"success": False, "error": {"code": "no_face"}}},
    {"id": "a-task", "response": {"success": False, "error": "no_face"}},
    {"id": "a-task", "status": "failed", "error": {"code": "no_face"}},
    {"id": "a-task", "status": "failed", "response": {"error": ["no_face"]}},
    {"success": False, "error": {"code": "no_face"}},
]


@pytest.mark.parametrize("body", RUNNING, ids=ascii)
def test_a_task_without_a_result_is_worked_on(body: object, settings: Settings) -> None:
    with says_of_tasks(body) as url:
        assert ask(settings, url) == Accepted(task_id="a-task")


@pytest.mark.parametrize("body", ENDED, ids=ascii)
def test_a_result_is_found_wherever_it_stands(body: object, settings: Settings) -> None:
    with says_of_tasks(body) as url:
        outcome = ask(settings, url)
    assert outcome == Answered(task_id="a-task", image_url="https://a.example/b.jpg")


@pytest.mark.parametrize("body", FAILED, ids=ascii)
def test_a_failure_is_found_wherever_it_stands(body: object, settings: Settings) -> None:
    with says_of_tasks(body) as url, pytest.raises(errors.NoFace):
        ask(settings, url)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (error("not_found"), errors.NotFound),
        (error("no_api"), errors.ApiNotImplemented),
        (error("token_expired"), errors.ApiError),
        (error("rate_limited"), RetryLater),
        ({"id": "another", "response": {"image_url": "https://a.example/b.jpg"}}, RetryLater),
        ({"id": "another", "response": {"success": False, "error": "no_face"}}, RetryLater),
        ({"id": "a-task", "status": "succeeded"}, RetryLater),
        ({}, RetryLater),
        ([], RetryLater),
        ("no", RetryLater),
        (None, RetryLater),
    ],
    ids=ascii,
)
def test_an_answer_that_is_no_news_of_the_task_ends_nothing(
    body: object, kind: type[Exception], settings: Settings
) -> None:
    with says_of_tasks(body) as url, pytest.raises(kind):
        ask(settings, url)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 501, 502, 503, 504, 524])
def test_a_provider_that_is_down_may_be_asked_again(status: int, settings: Settings) -> None:
    busy = Reply(status=status, body=HTML, headers={"Retry-After": "3"})
    with running_provider(asked=[busy]) as provider:
        task_id = submit(settings, provider).task_id
        provider.task.is_done.wait(60)
        with pytest.raises(RetryLater) as trouble:
            ask(settings, provider, task_id)
        assert trouble.value.retry_after == 3
        assert trouble.value.is_busy == (status == 429)
        assert isinstance(ask(settings, provider, task_id), Answered)


@pytest.mark.parametrize("how", [how for how in MISBEHAVIOURS if not how.startswith("is half")])
def test_whatever_breaks_while_asking_does_no_harm(how: str, settings: Settings) -> None:
    settings.FACESWAP_HOSTED_TIMEOUT_SECONDS = SHORT
    with serving(MISBEHAVIOURS[how]) as server:
        settings.FACESWAP_HOSTED_URL = f"http://127.0.0.1:{server.port}"
        with contextlib.suppress(RetryLater):
            assert client.get_task("a-task") == Accepted(task_id="a-task")


def test_a_provider_that_cannot_be_reached_may_be_asked_again(settings: Settings) -> None:
    with pytest.raises(RetryLater, match="host not found"):
        ask(settings, "http://nowhere.invalid")


@pytest.mark.parametrize("status", [302, 401, 403])
def test_a_key_that_is_not_taken_any_more_is_the_operators_matter(
    status: int, settings: Settings
) -> None:
    with says_of_tasks({}, status) as url, pytest.raises(errors.ApiError, match="operator"):
        ask(settings, url)
