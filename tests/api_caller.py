"""API callers with keys: alice calls, charlie is a stranger."""

import json
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from swaps.models import ApiAccess, ApiKey, User

SAMPLES = {
    "source_image_url": f"{settings.SITE_URL}/samples/1-face.jpg",
    "target_image_url": f"{settings.SITE_URL}/samples/1-photo.jpg",
}
ASYNC = {**SAMPLES, "async": True}


class Caller:
    """Somebody with an API key. Exceptions of the site become responses, as they do over HTTP."""

    def __init__(self, user: User, **fields: Any) -> None:
        ApiAccess.objects.get_or_grant(user)
        self.user = user
        self.key, self.token = ApiKey.objects.issue(user, **fields)
        self.client = Client(raise_request_exception=False)

    def post(self, path: str, body: object = None, **headers: str) -> Any:
        data = body if isinstance(body, (bytes, str)) else json.dumps(body)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post(
            path,
            data,
            content_type=named.pop("content-type", "application/json"),
            headers={"authorization": f"Bearer {self.token}", **named},
        )

    def swap(self, body: object = None, **headers: str) -> Any:
        return self.post("/face/swap", ASYNC if body is None else body, **headers)

    def tasks(self, body: object) -> Any:
        return self.post("/face/tasks", body)


@pytest.fixture
def caller(alice: User) -> Caller:
    return Caller(alice)


@pytest.fixture
def stranger(charlie: User) -> Caller:
    return Caller(charlie)


def error_code(answer: Any) -> str:
    """Return the error code of a response, after checking the contract's shape."""
    body = answer.json()
    assert set(body) - {"task_id"} == {"success", "error", "trace_id"}
    assert body["success"] is False
    assert set(body["error"]) == {"code", "message"}
    assert body["trace_id"] == answer["x-trace-id"]
    code: str = body["error"]["code"]
    return code
