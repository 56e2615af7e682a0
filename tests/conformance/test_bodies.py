"""Bodies that make no sense, are too large, or never come; and requests that are no HTTP."""

import contextlib
import http.client
import json
import socket
import time
from urllib.parse import urlsplit

import pytest
import requests

from swaps.runtime.request_slots import MAX_SILENCE_SECONDS, SLOTS
from tests.conformance.bare_client import BareClient
from tests.conformance.one_shape import ask, assert_error
from tests.conformance.operator import Operator
from tests.running import wait_until

Samples = tuple[str, str]
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
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)

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
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
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
        for _ in range(2 * SLOTS + 2):  # two web processes
            place = (address.hostname or "", address.port or 80)
            stalled = stack.enter_context(socket.create_connection(place))
            stalled.sendall(head.encode() + b"{")
        time.sleep(0.5)

        soon = MAX_SILENCE_SECONDS - 5
        pages = [requests.get(f"{alice.url}/", timeout=soon) for _ in range(8)]

    assert [page.status_code for page in pages] == [200] * 8


GOOD_CHUNK = b"2\r\n{}\r\n0\r\n\r\n"
CHUNKS = {
    "a size that is none": b"zz\r\n{}\r\n0\r\n\r\n",
    "no end of a chunk": b"2\r\n{}XX0\r\n\r\n",
    "a chunk that breaks off": b"20\r\n{}",
}


def send_in_chunks(site: str, path: str, body: bytes, *headers: str) -> bytes:
    address = urlsplit(site)
    lines = (
        f"POST {path} HTTP/1.1",
        f"Host: {address.netloc}",
        "Content-Type: application/json",
        "Transfer-Encoding: chunked",
        "Connection: close",
        *headers,
    )
    with socket.create_connection((address.hostname, address.port or 80), 10) as connection:
        connection.sendall("\r\n".join((*lines, "", "")).encode() + body)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


@pytest.mark.parametrize("name", CHUNKS)
def test_a_body_whose_chunks_are_none_is_a_bad_request(alice: BareClient, name: str) -> None:
    key = f"Authorization: Bearer {alice.key}"
    answer = send_in_chunks(alice.url, "/face/swap", CHUNKS[name], key)
    assert answer.startswith(b"HTTP/1.1 400 "), answer
    assert b'"code": "bad_request"' in answer


def test_so_is_a_providers_callback(operator: Operator) -> None:
    program = "import uuid; from swaps import links; print(links.callback_url(uuid.uuid4()))"
    path = urlsplit(operator.run(program)).path.strip()
    before = len(operator.site.read_log().encode())
    assert send_in_chunks(operator.site.url, path, GOOD_CHUNK).startswith(b"HTTP/1.1 410 ")
    for chunks in CHUNKS.values():
        assert send_in_chunks(operator.site.url, path, chunks).startswith(b"HTTP/1.1 400 ")
    refused = "POST /callbacks/*** 400 "
    assert wait_until(lambda: operator.site.read_log(before).count(refused) == len(CHUNKS))
    assert "Traceback" not in operator.site.read_log(before)


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


# --- what never reaches Django --------------------------------------------------------------------

STRANGE = {
    "a long path": b"GET /face/" + b"a" * 9_000 + b" HTTP/1.1\r\nHost: HOST\r\n\r\n",
    "a long query": b"GET /face/openapi.json?" + b"a" * 9_000 + b" HTTP/1.1\r\nHost: HOST\r\n\r\n",
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
    payload = json.loads(body)
    assert payload.keys() == {"success", "error", "trace_id"}
    assert payload["error"]["code"] == "bad_request"
    assert b"\r\nx-trace-id: " + payload["trace_id"].encode() in head.lower()
