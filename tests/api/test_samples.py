"""The sample programs send exactly what the page shows: each is run, against a real server."""

import ast
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from swaps.api.description.samples import PLACEHOLDER, Sample, samples
from tests.parts import on_one_database, require

pytestmark = on_one_database

NASTY = (
    "it's",
    '"quoted"',
    "back\\slash \\u0041 \\x41 \\\\",
    "$HOME ${HOME} {$x} $(id) `id` %s #{x} !!",
    "two\nlines\r\nand\ttabs",
    "</script><!-- <script>",
    "naïve 日本語 🙂 \u202e hidden \u2028 \u200b \x7f \x01 \x00 \ufeff",
    "'; rm -rf / #",
    "EOF\nENDTEXT",
    " */ // -- */",
    "",
)
# Slow ones are given many texts at once.
TEXTS = st.text(st.characters(codec="utf-8"), max_size=40)
MANY_TEXTS = st.lists(TEXTS, min_size=20, max_size=60)
WORDS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)
CALLS = st.fixed_dictionaries(
    {"source_image_url": TEXTS, "target_image_url": TEXTS},
    optional={
        "timeout": st.integers(1, 300),
        "async": st.booleans(),
        "callback_url": TEXTS,
        "source_face": st.fixed_dictionaries({"x": st.floats(0, 1), "y": st.floats(0, 1)}),
        "pairs": st.lists(st.fixed_dictionaries({"source_image_url": TEXTS}), max_size=3),
    },
)
in_one_server = settings(
    max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


class Receiver(ThreadingHTTPServer):
    """Notes what it is sent, and answers as the API does."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.received: list[tuple[str, dict[str, str], Any]] = []


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.received.append((self.path, headers, json.loads(body)))
        answer = json.dumps({"success": True, "task_id": "4b13"}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def sample(language: str, url: str, body: dict[str, Any], **more: str) -> Sample:
    made = samples(url, "/face/swap", body, more.pop("key", "fs_key"), **more)
    return next(one for one in made if one.id == language)


def run(folder: Path, code: str, *command: str) -> str:
    (folder / command[-1]).write_text(code, encoding="utf-8")
    done = subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C"},
    )
    assert done.returncode == 0, f"{done.stderr}\n{code}"
    return done.stdout


def check_that_it_arrives(
    receiver: Receiver, folder: Path, language: str, *command: str, texts: list[str]
) -> None:
    """``command`` ends with the name of the file in which the program is saved."""
    body = {"source_image_url": texts[0], "timeout": 2.5, "async": True, "ids": texts}
    body["pairs"] = [{"source_image_url": texts[-1], "target_face": {"x": 0.25, "y": 1}}]
    receiver.received.clear()
    made = sample(language, receiver.url, body, key="fs_it's\"$x", idempotency_key="o'k\\\"`$!")

    payload = run(folder, made.code, *command)

    [(path, headers, received)] = receiver.received
    assert (path, received) == ("/face/swap", body)
    assert headers["authorization"] == "Bearer fs_it's\"$x"
    assert headers["idempotency-key"] == "o'k\\\"`$!"
    assert headers["content-type"].startswith("application/json")
    assert "4b13" in payload
    assert "200" in payload


# --- shell -----------------------------------------------------------------------------------

FAKE_CURL = "curl() { printf '%s\\0' \"$@\"; }\n"


@pytest.mark.parametrize("shell", ["bash", "sh"])
@given(body=CALLS, key=WORDS, idempotency_key=WORDS)
def test_a_shell_hands_curl_the_body_and_the_headers(
    shell: str, body: dict[str, Any], key: str, idempotency_key: str
) -> None:
    code = sample("curl", "http://faces.test", body, key=key, idempotency_key=idempotency_key).code

    checked = subprocess.run([shell, "-n"], input=code, text=True, capture_output=True, check=False)
    done = subprocess.run(
        [shell, "-c", FAKE_CURL + code], capture_output=True, check=True, timeout=60
    )

    assert (checked.returncode, checked.stderr) == (0, "")
    url, *headers, _, sent = done.stdout.decode().split("\0")[:-1]
    assert url == "http://faces.test/face/swap"
    assert headers[1::2] == [
        f"authorization: Bearer {key}",
        "content-type: application/json",
        f"idempotency-key: {idempotency_key}",
    ]
    assert json.loads(sent) == body


def test_curl_sends_it(receiver: Receiver, tmp_path: Path) -> None:
    require("curl")
    receiver.received.clear()
    body = {"source_image_url": "".join(NASTY), "async": True}

    payload = run(tmp_path, sample("curl", receiver.url, body).code, "sh", "call.sh")

    assert receiver.received[0][2] == body
    assert "4b13" in payload


# --- Python ----------------------------------------------------------------------------------


@given(body=CALLS)
def test_python_reads_the_literals_as_they_were_meant(body: dict[str, Any]) -> None:
    tree = ast.parse(sample("python", "http://faces.test", body).code)

    [call] = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "requests.post"
    ]
    given = {keyword.arg: ast.literal_eval(keyword.value) for keyword in call.keywords}
    assert given["json"] == body
    assert given["headers"] == {"authorization": "Bearer fs_key"}
    assert ast.literal_eval(call.args[0]) == "http://faces.test/face/swap"


@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        ({}, 130),
        ({"timeout": 20}, 30),
        ({"async": False}, 130),
        ({"async": True, "timeout": 20}, 30),
        ({"callback_url": "http://a.test"}, 30),
        ({"action": "retrieve"}, 30),
    ],
)
def test_python_is_a_little_more_patient_than_the_server(
    body: dict[str, Any], seconds: int
) -> None:
    assert f"timeout={seconds}," in sample("python", "http://faces.test", body).code


def test_python_sends_it(receiver: Receiver, tmp_path: Path) -> None:
    check_that_it_arrives(
        receiver, tmp_path, "python", sys.executable, "-W", "error", "call.py", texts=list(NASTY)
    )


# --- the others, where they are --------------------------------------------------------------


@in_one_server
@given(texts=MANY_TEXTS)
def test_javascript_sends_it(receiver: Receiver, tmp_path: Path, texts: list[str]) -> None:
    node = require("node")
    check_that_it_arrives(
        receiver, tmp_path, "javascript", node, "swap.mjs", texts=[*NASTY, *texts]
    )


def test_javascript_may_stand_in_a_page() -> None:
    assert "</" not in sample("javascript", "http://a.test", {"ids": list(NASTY)}).code


@settings(in_one_server, max_examples=2)
@given(texts=MANY_TEXTS)
def test_java_sends_it(receiver: Receiver, tmp_path: Path, texts: list[str]) -> None:
    require("javac")  # which "java FaceSwap.java" needs
    check_that_it_arrives(
        receiver, tmp_path, "java", "java", "FaceSwap.java", texts=[*NASTY, *texts]
    )


@given(texts=MANY_TEXTS)
def test_java_is_ascii_and_holds_no_escape_that_ends_a_line(texts: list[str]) -> None:
    code = sample("java", "http://a.test", {"ids": [*NASTY, *texts]}).code
    assert code.isascii()
    assert all(character.isprintable() for character in code.replace("\n", ""))


@settings(in_one_server, max_examples=2)
@given(texts=MANY_TEXTS)
def test_go_sends_it(receiver: Receiver, tmp_path: Path, texts: list[str]) -> None:
    go = require("go")
    check_that_it_arrives(receiver, tmp_path, "go", go, "run", "swap.go", texts=[*NASTY, *texts])


@in_one_server
@given(texts=MANY_TEXTS)
def test_php_sends_it(receiver: Receiver, tmp_path: Path, texts: list[str]) -> None:
    php = require("php")
    check_that_it_arrives(receiver, tmp_path, "php", php, "swap.php", texts=[*NASTY, *texts])


# --- all of them -----------------------------------------------------------------------------


@given(body=CALLS)
def test_nothing_hidden_stands_in_a_program(body: dict[str, Any]) -> None:
    """No direction marks, no invisible characters: what is read is what runs."""
    for made in samples("http://faces.test", "/face/swap", body, PLACEHOLDER):
        assert all(c.isprintable() or c in "\n\t" for c in made.code), made.language


def test_a_program_is_plain_text_which_a_page_escapes() -> None:
    """A rendered template would count as safe HTML."""
    for made in samples("https://api.example.org", "/face/swap", {"id": "<script>"}, "fs_key"):
        assert not hasattr(made.code, "__html__")
        assert "<script>" in made.code


def test_the_placeholder_for_a_key_can_be_sent() -> None:
    """A program that is run as it stands is told by the server that its key is wrong."""
    assert PLACEHOLDER.isascii()
