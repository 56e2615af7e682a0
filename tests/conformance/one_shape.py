"""Checks the shape that all errors of the API share (contract, section 5)."""

from typing import Any

import requests

from tests.conformance.bare_client import BareClient

TRACE_LENGTH = 32


def assert_error(answer: requests.Response, status: int, code: str) -> None:
    """Assert that a response is an error of the contract's shape, with nothing besides."""
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
