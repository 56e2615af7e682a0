"""Every error in the one shape, with its trace, and never a page: contract, section 5."""

import itertools

import pytest
import requests

from tests.conformance.bare_client import BareClient
from tests.conformance.conftest import Cast
from tests.conformance.one_shape import ask, assert_error
from tests.conformance.operator import Operator

Samples = tuple[str, str]
NOT_OFFERED = [
    f"/face/{name}"
    for name in ("analyze", "beautify", "change-age", "change-gender", "cartoon", "detect-live")
]
NOWHERE = ["/face", "/face/", "/face/nope", "/face/swap/", "/face//swap", "/face/..%2fadmin/"]
METHODS = ("GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND")


@pytest.mark.parametrize("path", ["/face/swap", "/face/tasks"])
@pytest.mark.parametrize("method", METHODS)
def test_calls_are_made_with_post(alice: BareClient, path: str, method: str) -> None:
    answer = ask(alice, method, path)

    assert_error(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize("method", [*METHODS[2:], "POST"])
def test_the_description_is_read_with_get(alice: BareClient, method: str) -> None:
    answer = ask(alice, method, "/face/openapi.json")

    assert_error(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize("path", NOT_OFFERED)
def test_calls_that_are_not_offered_say_so(alice: BareClient, path: str) -> None:
    for method in ("POST", *METHODS):
        assert_error(ask(alice, method, path), 400, "api_not_implemented")


@pytest.mark.parametrize("path", NOWHERE)
def test_a_path_that_leads_nowhere_is_no_api(alice: BareClient, path: str) -> None:
    for method in ("POST", *METHODS):
        assert_error(ask(alice, method, path), 404, "no_api")


def test_the_description_needs_no_key(alice: BareClient) -> None:
    answer = requests.get(f"{alice.url}/face/openapi.json", timeout=60)

    assert answer.status_code == 200
    assert answer.headers["x-trace-id"]
    assert answer.json()["openapi"].startswith("3.1")
    assert answer.json()["servers"] == [{"url": alice.url}]


# --- keys -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, (400, "no_token")),
        ("", (400, "no_token")),
        ("{alice}", (401, "invalid_token")),
        ("Bearer", (401, "invalid_token")),
        ("Basic {alice}", (401, "invalid_token")),
        ("Bearer fs_wrong", (401, "invalid_token")),
        ("Bearer {alice}x", (401, "invalid_token")),
        ("Bearer {alice} {alice}", (401, "invalid_token")),
        ("Bearer \xff\xfe", (401, "invalid_token")),
        ("Bearer {revoked}", (401, "invalid_token")),
        ("Bearer {expired}", (401, "token_expired")),
        ("Bearer {disabled}", (403, "disabled")),
        ("Bearer {blocked}", (403, "disabled")),
    ],
)
def test_a_key_that_does_not_work_says_why(
    alice: BareClient, cast: Cast, header: str | None, expected: tuple[int, str]
) -> None:
    headers = {}
    if header is not None:
        sent = header.format(alice=alice.key, **cast.keys)
        headers["authorization"] = sent.encode("latin-1")

    answers = [
        requests.post(alice.url + path, json={}, headers=headers, timeout=60)
        for path in ("/face/swap", "/face/tasks")
    ]

    for answer in answers:
        assert_error(answer, *expected)
        assert "x-quota-remaining" not in answer.headers
        assert alice.key not in answer.text


@pytest.mark.parametrize(
    ("name", "path"), [("swap_only", "/face/tasks"), ("tasks_only", "/face/swap")]
)
def test_a_key_for_something_else_is_mismatched(
    operator: Operator, cast: Cast, name: str, path: str
) -> None:
    client = BareClient(url=operator.site.url, key=cast.keys[name])

    answer = client.post(path, {})

    assert_error(answer, 400, "token_mismatched")
    assert answer.headers["x-quota-remaining"].isdigit()


def test_a_key_works_for_what_it_is_for(operator: Operator, cast: Cast, samples: Samples) -> None:
    swap_only, tasks_only = (
        BareClient(url=operator.site.url, key=cast.keys[name])
        for name in ("swap_only", "tasks_only")
    )

    task_id = swap_only.start(*samples)

    assert tasks_only.finished(task_id)["status"] == "succeeded"


def test_the_scheme_may_be_written_in_any_case(alice: BareClient) -> None:
    answer = alice.post(
        "/face/tasks",
        {"ids": [], "action": "retrieve_batch"},
        {"authorization": f"bearer {alice.key}"},
    )

    assert answer.json() == {"items": [], "count": 0}


# --- moderation -----------------------------------------------------------------------------------


def test_what_moderation_hid_is_forbidden_to_the_one_who_asks_again(
    operator: Operator, alice: BareClient, samples: Samples
) -> None:
    key = {"Idempotency-Key": "hidden"}
    task_id = alice.swap(*samples, headers=key).json()["task_id"]
    operator.run(
        f"from swaps.models import Swap; Swap.objects.filter(pk='{task_id}').update(is_hidden=True)"
    )

    answer = alice.swap(*samples, headers=key)

    assert_error(answer, 403, "forbidden")
    asked_for = alice.post("/face/tasks", {"id": task_id, "action": "retrieve"})
    assert_error(asked_for, 404, "not_found")


def test_every_trace_is_another_one(alice: BareClient) -> None:
    paths = itertools.islice(itertools.cycle([*NOT_OFFERED, *NOWHERE]), 30)

    traces = {ask(alice, "POST", path).headers["x-trace-id"] for path in paths}

    assert len(traces) == 30
