"""What a provider says, in every spelling; and whatever else somebody may send in its place."""

import json
import time
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from swaps.hosted import parser
from swaps.hosted.parser import NotUnderstood, Outcome
from swaps.redaction import scrub

URL = "https://cdn.example/4b13.png?X-Amz-Signature=5d2f"
DONE = {"success": True, "task_id": "4b13", "trace_id": "c0", "image_url": URL}


def read(payload: object) -> Outcome:
    return parser.parse_callback(json.dumps(payload).encode())


def read_task(payload: object) -> Outcome | None:
    return parser.parse_task(json.dumps(payload).encode())


def read_error(payload: object) -> tuple[str, str]:
    return parser.parse_error(json.dumps(payload).encode())


# --- An outcome -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"image_width": 2008, "image_height": "1942", "image_size": 4006213},
        {"success": None},
        {"success": "true"},
        {"error": None},
        {"error": ""},
        {"error": {}},
        {"error": []},
        {"error": {"code": "", "message": None}},
        {"error": {"code": "odd", "message": "All went well."}},
        {"task_id": None, "id": "4b13"},
        {"task_id": "", "id": "4b13"},
        {"id": 7},
        {"image_url": f" {URL}\n"},
        {"more": {"image_url": "https://cdn.example/other.png", "task_id": "other"}},
    ],
    ids=ascii,
)
def test_a_picture_is_reported(changes: dict[str, Any]) -> None:
    outcome = read({**DONE, **changes})
    assert outcome == Outcome(task_id="4b13", image_url=URL)
    assert not outcome.is_failure


@pytest.mark.parametrize(
    ("payload", "code", "message"),
    [
        ({"error": {"code": "no_face", "message": "None here."}}, "no_face", "None here."),
        ({"error": {"code": "no_face"}}, "no_face", ""),
        ({"error": {"message": "None here."}}, "", "None here."),
        ({"error": {"detail": "None here."}}, "", "None here."),
        ({"error": {"code": " No-Face "}}, "no_face", ""),
        ({"error": {"code": "No face"}}, "no_face", ""),
        ({"error": {"code": 4001, "message": "None"}}, "4001", "None"),
        ({"error": {"code": True, "message": ["None"]}}, "", ""),
        ({"error": {"code": "没有脸", "message": "没有脸"}}, "", "没有脸"),
        ({"error": "no_face"}, "no_face", ""),
        ({"error": "NO-FACE"}, "no_face", ""),
        ({"error": "No face was found."}, "", "No face was found."),
        ({"error": ["no_face", "api_error"]}, "no_face", ""),
        ({"error": [None, 7, {"code": "no_face"}]}, "no_face", ""),
        ({"error": None}, "", ""),
        ({"error": []}, "", ""),
        ({"error": [[]]}, "", ""),
        ({"error": 7}, "", ""),
        ({}, "", ""),
        ({"code": "no_face", "message": "None here."}, "no_face", "None here."),
        ({"code": "no_face", "detail": "None here."}, "no_face", "None here."),
        ({"error": {}, "code": "no_face"}, "no_face", ""),
        ({"error": {"code": "no_face"}, "code": "other", "message": "Other."}, "no_face", ""),
    ],
    ids=ascii,
)
def test_a_failure_is_reported_in_every_spelling(payload: Any, code: str, message: str) -> None:
    expected = Outcome(task_id="4b13", error_code=code, error_message=message)
    assert expected.is_failure
    for no in (False, "false", "False"):
        assert read({"success": no, "task_id": "4b13", **payload}) == expected
    assert read_error({"success": False, **payload}) == (code, message)


@pytest.mark.parametrize(
    "payload",
    [
        {**DONE, "success": False},
        {**DONE, "success": None, "error": {"code": "no_face"}},
        {"task_id": "4b13", "error": "no_face"},
        {"task_id": "4b13", "success": True, "error": "no_face"},
    ],
    ids=ascii,
)
def test_what_is_half_a_failure_is_one(payload: dict[str, Any]) -> None:
    assert read(payload).is_failure


@pytest.mark.parametrize(
    "payload",
    [
        None,
        True,
        7,
        "4b13",
        [],
        [DONE],
        {},
        {"success": True, "task_id": "4b13"},
        {"task_id": "4b13", "error": None},
        {"success": False, "error": {"code": "no_face"}},
        *({**DONE, "task_id": value} for value in ("", " ", None, 7, "a" * 201, "a\0", "a\n")),
        *({**DONE, "task_id": value} for value in ("\ud800", "a\u200b", "\u2028")),
        *({**DONE, "image_url": value} for value in ("", None, 7, [URL], {"url": URL}, "4b13.png")),
        *({**DONE, "image_url": value} for value in ("ftp://a.example/", "//a.example/b.png")),
        *(
            {**DONE, "image_url": f"{URL}{more}"}
            for more in ("\0", " b", "\nb", "\ud800", "a" * 4000)
        ),
        {**DONE, "image_url": "javascript:alert(1)"},
        {**DONE, "image_url": "data:image/png;base64,AAAA"},
    ],
    ids=ascii,
)
def test_what_is_no_report_is_not_understood(payload: object) -> None:
    with pytest.raises(NotUnderstood):
        read(payload)


def test_the_longest_that_is_understood() -> None:
    url = "https://cdn.example/".ljust(4_000, "a")
    outcome = read({"task_id": "a" * 200, "image_url": url})
    assert (len(outcome.task_id), len(outcome.image_url)) == (200, 4_000)


HOSTILE = [
    b"",
    b"\xff\xfe\x00",
    b"\xef\xbb\xbf",
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b'{"task_id": "4b13", "error": ' + b"[" * 900 + b"]" * 900 + b"}",
    b'{"task_id": "4b13", "error": ' + b"[" * 50_000,
    b'{"task_id": "4b13", "status": ' + b'{"a":' * 900 + b"1" + b"}" * 900 + b"}",
    b'{"id": ' + b"9" * 60_000 + b"}",
    b'{"error": {"code": ' + b"9" * 4_000 + b"}}",
    b'{"error": {"code": 1e999}, "task_id": NaN, "success": -Infinity}',
    b'{"task_id": "\xff", "success": false}',
    b'{"task_id": "4b13", "task_id": "4b14", "success": false, "success": true}',
    b'{"task_id": "\\ud83d", "success": false}',
    b'{"success": false, "task_id": "4b13", "error": "\\u0000\\ud800\\u202e"}',
    b"null",
    b"NaN",
    b"GET / HTTP/1.1\r\n\r\n",
    json.dumps(DONE).encode("utf-16"),
    json.dumps(DONE).encode() * 2,
]


def check_all(body: bytes) -> None:
    """Nothing but NotUnderstood is raised; what is read can be stored anywhere."""
    for reader in (parser.parse_callback, parser.parse_response, parser.parse_task):
        try:
            outcome = reader(body)
        except NotUnderstood:
            continue
        if outcome is None:
            continue
        for value, most in (
            (outcome.task_id, 200),
            (outcome.image_url, 4_000),
            (outcome.error_code, 100),
            (outcome.error_message, 1_000),
        ):
            assert len(value) <= most
            assert value.isprintable()
            assert value.encode().decode() == value
    code, message = parser.parse_error(body)
    assert (code + message).isprintable()


@pytest.mark.parametrize("body", HOSTILE, ids=lambda body: ascii(body[:40]))
def test_hostile_bytes_are_read_without_harm(body: bytes) -> None:
    check_all(body)


@given(st.binary())
@example(b"{}")
def test_whatever_the_bytes_are_nothing_breaks(body: bytes) -> None:
    check_all(body)


NAMES = st.sampled_from(
    [
        "success",
        "task_id",
        "id",
        "image_url",
        "error",
        "code",
        "message",
        "detail",
        "status",
        "state",
        "request",
        "response",
    ]
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters())
    | st.sampled_from(["4b13", URL, "succeeded", "failed", "queued", "false", "\ud800", "\0"])
)
SAID = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner),
    max_leaves=12,
)


@given(st.dictionaries(NAMES, SAID))
def test_whatever_the_names_hold_nothing_breaks(payload: dict[str, Any]) -> None:
    check_all(json.dumps(payload).encode())
    check_all(json.dumps(payload, ensure_ascii=False).encode("utf-8", "surrogatepass"))


def test_a_body_of_the_largest_size_is_read_at_once() -> None:
    """64 KB in which everything has to be looked at."""
    body = json.dumps({"id": "4b13", "response": {"a": [{"state": 1, "image_url": ""}] * 1_950}})
    assert len(body) > 60_000
    begun = time.thread_time()
    check_all(body.encode())
    assert time.thread_time() - begun < 0.5


# --- An answer ------------------------------------------------------------------------------------


def test_an_answer_may_be_that_it_begins() -> None:
    answer = parser.parse_response(b'{"success": true, "task_id": "4b13", "trace_id": "c0"}')
    assert (answer.task_id, answer.is_running, answer.is_failure) == ("4b13", True, False)


def test_an_answer_may_be_that_nothing_begins() -> None:
    answer = parser.parse_response(b'{"success": false, "error": {"code": "used_up"}}')
    assert (answer.task_id, answer.is_failure, answer.error_code) == ("", True, "used_up")


# --- A task ---------------------------------------------------------------------------------------

TASK = {
    "id": "4b13",
    "type": "face_swap",
    "created_at": 1736304669.779,
    "trace_id": "c0",
    "request": {
        "source_image_url": "https://site.example/source.jpg",
        "target_image_url": "https://site.example/target.jpg",
        "image_url": "https://site.example/not-this.jpg",
        "status": "succeeded",
        "error": {"code": "no_face"},
        "success": False,
    },
}


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"status": "queued"},
        {"status": "processing"},
        {"state": "Running"},
        {"status": "succeeded?"},
        {"response": None},
        {"response": {}},
        {"response": []},
        {"response": "soon"},
        {"response": {"success": True, "task_id": "4b13"}},
        {"response": {"status": "processing", "image_url": URL}},
        {"data": {"state": "waiting"}, "image_url": URL},
        {"finished_at": None, "error": None},
    ],
    ids=ascii,
)
def test_a_task_without_a_result_runs(more: dict[str, Any]) -> None:
    assert read_task({**TASK, **more}) is None


@pytest.mark.parametrize(
    "more",
    [
        {"response": DONE},
        {"response": {"image_url": URL}},
        {"response": {"data": [{"image_url": URL}]}},
        {"response": {"image_url": "", "data": {"image_url": URL}}},
        {"response": {"status": "succeeded", "image_url": URL}},
        {"status": "SUCCEEDED", "image_url": URL},
        {"image_url": URL},
        {"status": "processing", "response": DONE},
        {"status": 200, "response": DONE},
    ],
    ids=ascii,
)
def test_a_task_with_a_result_has_ended(more: dict[str, Any]) -> None:
    assert read_task({**TASK, **more}) == Outcome(task_id="4b13", image_url=URL)


@pytest.mark.parametrize(
    "more",
    [
        {"response": {"success": False, "error": {"code": "no_face", "message": "Hm."}}},
        {"response": {"error": {"code": "no_face", "message": "Hm."}}},
        {"response": {"status": "failed", "code": "no_face", "message": "Hm.", "image_url": URL}},
        {"status": "failed", "error": {"code": "no_face", "message": "Hm."}},
        {"status": "failed", "response": {"error": {"code": "no_face", "message": "Hm."}}},
        {"success": False, "error": {"code": "no_face", "message": "Hm."}},
    ],
    ids=ascii,
)
def test_a_task_with_an_error_has_failed(more: dict[str, Any]) -> None:
    expected = Outcome(task_id="4b13", error_code="no_face", error_message="Hm.")
    assert read_task({**TASK, **more}) == expected


@pytest.mark.parametrize(
    "payload",
    [
        [],
        [TASK],
        {},
        {"count": 0, "items": []},
        {"request": TASK["request"]},
        {"id": "4b13", "status": "succeeded"},
        {"id": "4b13", "response": {"state": "succeeded", "url": URL}},
    ],
    ids=ascii,
)
def test_what_is_no_task_is_not_understood(payload: object) -> None:
    with pytest.raises(NotUnderstood):
        read_task(payload)


def test_a_task_goes_by_the_name_that_a_callback_would_give_it() -> None:
    outcome = read_task({**TASK, "id": "its row", "response": {**DONE, "task_id": "4b13"}})
    assert outcome is not None
    assert outcome.task_id == "4b13"


def test_a_failure_of_the_call_names_no_task() -> None:
    outcome = read_task({"success": False, "error": {"code": "not_found"}})
    assert outcome == Outcome(task_id="", error_code="not_found")


# --- For staff ------------------------------------------------------------------------------------

TOKEN = "eyJ" + "aB3_-" * 20


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        ("503 api_error: The database is away.", "503 api_error: The database is away."),
        ("Why? Because.", "Why? Because."),
        ("没有检测到人脸" * 20, "没有检测到人脸" * 20),
        ("at https://a.example/b.jpg?X-Amz-Signature=5d2f so", "at https://a.example/b.jpg?… so"),
        ("<http://u:p@a.example:81/b#c>", "<http://a.example:81/b>"),
        ("ftp://u:p@q@a.example", "ftp://a.example"),
        ('{"url": "https:\\/\\/u:p@a.example\\/b?k=1"}', '{"url": "https:\\/\\/a.example\\/b?…"}'),
        ("with url: /face/swap?key=5d2f (Caused by", "with url: /face/swap?… (Caused by"),
        (f"https://site.example/files/{TOKEN}/", "https://site.example/files/…/"),
        (
            f"https://site.example/callbacks/{TOKEN}:1tYk:{TOKEN}/ said 404",
            "https://site.example/callbacks/…/ said 404",
        ),
        ("Bearer sk-1 and sk-1", "Bearer *** and ***"),
        ("sk\0-\x1b1\u202e", "***"),
        ("one\r\n two\tthree\0", "one   two three"),
        ("\ud800\udfff", ""),
        ("", ""),
        ("4b13bdeb-8a5c-4f0e-9f7a-3f2b1c0d9e8f", "4b13bdeb-8a5c-4f0e-9f7a-3f2b1c0d9e8f"),
    ],
    ids=ascii,
)
def test_what_urls_let_their_bearer_do_is_not_shown(text: str, scrubbed: str) -> None:
    assert scrub(text, "sk-1", "") == scrubbed


def test_a_secret_is_never_cut_in_two() -> None:
    for length in range(3_900, 4_010):
        assert "sk-sec" not in scrub("." * length + "sk-secret", "sk-secret")
    for length in range(15_900, 16_010):
        assert "sk-sec" not in scrub("a" * length + " sk-secret", "sk-secret")


@given(st.text())
def test_what_is_scrubbed_can_be_stored(text: str) -> None:
    scrubbed = scrub(text, "secret")
    assert scrubbed.isprintable()
    assert scrubbed.encode().decode() == scrubbed


@pytest.mark.parametrize("piece", ["a", "/", "a:/", "http://", "://", "?", "/?", "@", "a.b-", "\0"])
def test_long_texts_are_scrubbed_at_once(piece: str) -> None:
    begun = time.thread_time()
    assert len(scrub(piece * (64_000 // len(piece)), "secret")) <= 4_000
    assert time.thread_time() - begun < 0.5
