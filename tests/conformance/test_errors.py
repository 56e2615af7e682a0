"""Every error in the one shape, with its trace, and never a page: contract, section 5."""

import contextlib
import http.client
import itertools
import json
import socket
import time
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from swaps.room import PLACES
from tests.conformance.bare_client import BareClient
from tests.conformance.conftest import Cast
from tests.conformance.operator import Operator

Samples = tuple[str, str]
NOT_OFFERED = [
    f"/face/{name}"
    for name in ("analyze", "beautify", "change-age", "change-gender", "cartoon", "detect-live")
]
NOWHERE = ["/face", "/face/", "/face/nope", "/face/swap/", "/face//swap", "/face/..%2fadmin/"]
METHODS = ("GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND")
TRACE_LENGTH = 32


def assert_error(answer: requests.Response, status: int, code: str) -> None:
    """The one shape, all of it, and nothing else."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert "set-cookie" not in answer.headers
    if answer.request.method == "HEAD":
        assert answer.content == b""
        assert len(answer.headers["x-trace-id"]) == TRACE_LENGTH
        return
    body = answer.json()
    assert body.keys() - {"task_id"} == {"success", "error", "trace_id"}
    assert body["success"] is False
    assert body["error"].keys() == {"code", "message"}
    assert body["error"]["code"] == code
    assert body["error"]["message"].strip()
    assert body["trace_id"] == answer.headers["x-trace-id"]
    assert len(body["trace_id"]) == TRACE_LENGTH


def ask(alice: BareClient, method: str, path: str, **options: Any) -> requests.Response:
    headers = {"authorization": f"Bearer {alice.key}", "content-type": "application/json"}
    return requests.request(
        method, alice.url + path, **{"headers": headers, "timeout": 30, **options}
    )


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
    answer = requests.get(f"{alice.url}/face/openapi.json", timeout=10)

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
        requests.post(alice.url + path, json={}, headers=headers, timeout=10)
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


# --- bodies ---------------------------------------------------------------------------------------

NO_JSON = [b"", b"{", b"not json", b"\xff\xfe", b'{"a": NaN', b"[" * 100_000, b'{"a": "\x00"}']
WRONG_BODIES = [
    *("null", "[]", "1", '"text"', "{}"),
    '{"source_image_url": "SAMPLE"}',
    '{"source_image_url": "SAMPLE", "target_image_url": null}',
    '{"source_image_url": "SAMPLE", "target_image_url": 1}',
    '{"source_image_url": "SAMPLE", "target_image_url": ["SAMPLE"]}',
    '{"source_image_url": "SAMPLE", "target_image_url": "a\\u0000b"}',
    '{"source_image_url": "SAMPLE", "target_image_url": "\\ud800"}',
    *(
        f'{{"source_image_url": "SAMPLE", "target_image_url": "SAMPLE", {wrong}}}'
        for wrong in (
            *('"timeout": "5"', '"timeout": 0', '"timeout": -1', '"timeout": true'),
            *('"timeout": 1e999', '"timeout": NaN', '"timeout": []'),
            *('"async": "yes"', '"async": 1', '"callback_url": 1', '"callback_url": {}'),
        )
    ),
]
WRONG_QUESTIONS = [
    *("null", "[]", "{}", '{"id": "1"}', '{"action": "retrieve"}', '{"action": "retrieve_batch"}'),
    '{"id": "1", "action": "delete"}',
    '{"id": 1, "action": "retrieve"}',
    '{"id": null, "action": "retrieve"}',
    '{"ids": "1", "action": "retrieve_batch"}',
    '{"ids": [1], "action": "retrieve_batch"}',
    json.dumps({"ids": ["1"] * 101, "action": "retrieve_batch"}),
]


@pytest.mark.parametrize("path", ["/face/swap", "/face/tasks"])
def test_a_body_that_is_no_json_is_a_bad_request(alice: BareClient, path: str) -> None:
    answers = [ask(alice, "POST", path, data=body) for body in NO_JSON]

    for answer in answers:
        assert_error(answer, 400, "bad_request")


def test_wrong_fields_are_bad_requests_and_spend_nothing(
    alice: BareClient, samples: Samples
) -> None:
    before = alice.quota()

    answers = [
        ask(alice, "POST", "/face/swap", data=body.replace("SAMPLE", samples[0]))
        for body in WRONG_BODIES
    ]

    for answer in answers:
        assert_error(answer, 400, "bad_request")
    assert alice.quota() == before


def test_questions_for_tasks_that_make_no_sense_are_bad_requests(alice: BareClient) -> None:
    answers = [ask(alice, "POST", "/face/tasks", data=body) for body in WRONG_QUESTIONS]

    for answer in answers:
        assert_error(answer, 400, "bad_request")


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=nonsense",
        "nonsense",
    ],
)
def test_another_content_type_is_a_bad_request(alice: BareClient, content_type: str) -> None:
    answer = alice.post("/face/swap", {}, {"content-type": content_type})

    assert_error(answer, 400, "bad_request")


def test_unknown_fields_are_ignored(alice: BareClient, samples: Samples) -> None:
    answer = alice.swap(*samples, model="newest", mode=3)

    assert answer.json()["success"] is True


@pytest.mark.parametrize("path", ["/face/swap", "/face/tasks"])
def test_a_body_over_the_limit_is_too_large(alice: BareClient, path: str) -> None:
    answers = [ask(alice, "POST", path, data=b" " * size) for size in (1_000_001, 4_000_000)]

    for answer in answers:
        assert_error(answer, 413, "payload_too_large")


@pytest.mark.parametrize("path", ["/face/swap", "/face/nope", "/face/cartoon"])
def test_a_refusal_is_heard_by_those_who_are_still_sending(alice: BareClient, path: str) -> None:
    """And their connection stays usable, as the answer says."""
    large = json.dumps({"source_image_url": "data:image/png;base64," + "A" * 900_000})
    wrong = {"authorization": "Bearer fs_wrong", "content-type": "application/json"}
    right = {**wrong, "authorization": f"Bearer {alice.key}"}
    question = '{"ids": [], "action": "retrieve_batch"}'
    address = urlsplit(alice.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=10)

    answers = []
    with contextlib.closing(connection):
        for place, body, headers in ((path, large, wrong), ("/face/tasks", question, right)):
            connection.request("POST", place, body, headers)
            with connection.getresponse() as answer:
                answers.append((answer.status, json.loads(answer.read())))

    assert answers[0][0] in {400, 401, 404}
    assert answers[0][1]["success"] is False
    assert answers[1] == (200, {"items": [], "count": 0})


def test_a_body_may_come_in_chunks(alice: BareClient) -> None:
    parts = (b'{"ids": [],', b' "action": "retrieve_batch"}')

    answer = ask(alice, "POST", "/face/tasks", data=iter(parts))
    too_large = ask(alice, "POST", "/face/tasks", data=(b" " * 100_000 for _ in range(12)))

    assert answer.json() == {"items": [], "count": 0}
    assert_error(too_large, 413, "payload_too_large")


def test_a_body_that_is_announced_as_endless_is_not_waited_for(alice: BareClient) -> None:
    address = urlsplit(alice.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=10)
    with contextlib.closing(connection):
        connection.putrequest("POST", "/face/swap")
        connection.putheader("authorization", f"Bearer {alice.key}")
        connection.putheader("content-length", str(10**12))
        connection.endheaders()

        with connection.getresponse() as answer:
            body = json.loads(answer.read())

    assert answer.status == 413
    assert body["error"]["code"] == "payload_too_large"
    assert body["trace_id"] == answer.headers["x-trace-id"]


def test_bodies_that_do_not_come_hold_up_nobody(alice: BareClient) -> None:
    address = urlsplit(alice.url)
    head = (
        f"POST /face/swap HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Length: 1000\r\n"
        f"Authorization: Bearer {alice.key}\r\nContent-Type: application/json\r\n\r\n"
    )
    with contextlib.ExitStack() as stack:
        for _ in range(2 * PLACES + 2):  # two web processes
            place = (address.hostname or "", address.port or 80)
            stalled = stack.enter_context(socket.create_connection(place))
            stalled.sendall(head.encode() + b"{")
        time.sleep(0.5)

        pages = [requests.get(f"{alice.url}/", timeout=5) for _ in range(8)]

    assert [page.status_code for page in pages] == [200] * 8


@pytest.mark.parametrize("key", ["a" * 256, "a\tb", "\xe9\x85"])
def test_an_idempotency_key_that_cannot_be_kept_is_a_bad_request(
    alice: BareClient, samples: Samples, key: str
) -> None:
    answer = alice.post(
        "/face/swap",
        dict.fromkeys(("source_image_url", "target_image_url"), samples[0]),
        {"Idempotency-Key": key.encode("latin-1").decode("latin-1")},
    )

    assert_error(answer, 400, "bad_request")


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


# --- what never reaches Django --------------------------------------------------------------------

STRANGE = {
    "a long path": b"GET /face/" + b"a" * 5_000 + b" HTTP/1.1\r\nHost: HOST\r\n\r\n",
    "a long query": b"GET /face/openapi.json?" + b"a" * 5_000 + b" HTTP/1.1\r\nHost: HOST\r\n\r\n",
    "a long header": b"POST /face/swap HTTP/1.1\r\nHost: HOST\r\nAuthorization: Bearer "
    + b"a" * 9_000
    + b"\r\nContent-Length: 0\r\n\r\n",
    "many headers": b"POST /face/swap HTTP/1.1\r\nHost: HOST\r\n"
    + b"".join(b"X-%d: 1\r\n" % number for number in range(150))
    + b"\r\n",
    "no length": b"POST /face/swap HTTP/1.1\r\nHost: HOST\r\nContent-Length: many\r\n\r\n",
    "a header without a name": b"POST /face/swap HTTP/1.1\r\nHost: HOST\r\n: 1\r\n\r\n",
    "no version": b"GET /face/swap\r\n\r\n",
}


@pytest.mark.parametrize("name", STRANGE)
def test_not_even_the_web_server_answers_with_a_page(alice: BareClient, name: str) -> None:
    address = urlsplit(alice.url)

    with socket.create_connection((address.hostname, address.port or 80), 10) as connection:
        connection.sendall(STRANGE[name].replace(b"HOST", address.netloc.encode()))
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))

    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 "), answer
    assert b"\r\ncontent-type: application/json" in head.lower(), answer
    said = json.loads(body)
    assert said.keys() == {"success", "error", "trace_id"}
    assert said["error"]["code"] == "bad_request"
    assert b"\r\nx-trace-id: " + said["trace_id"].encode() in head.lower()


def test_every_trace_is_another_one(alice: BareClient) -> None:
    paths = itertools.islice(itertools.cycle([*NOT_OFFERED, *NOWHERE]), 30)

    traces = {ask(alice, "POST", path).headers["x-trace-id"] for path in paths}

    assert len(traces) == 30
