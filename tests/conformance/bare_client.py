"""A client as a customer writes it, with ``requests``, a base URL and a key.

It knows the contract only. How it reads the state of a task is what published clients of the
reference provider do (contract, section 4), word by word.
"""

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

import requests

State = Literal["running", "succeeded", "failed"]
PATIENCE_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class BareClient:
    url: str
    key: str

    def post(
        self, path: str, body: Any, headers: Mapping[str, str | None] | None = None
    ) -> requests.Response:
        own = {"authorization": f"Bearer {self.key}", "accept": "application/json"}
        return requests.post(
            self.url + path, json=body, headers={**own, **(headers or {})}, timeout=PATIENCE_SECONDS
        )

    def swap(
        self,
        source: str,
        target: str,
        *,
        is_async: bool = False,
        headers: Mapping[str, str] | None = None,
        **more: object,
    ) -> requests.Response:
        body = {"source_image_url": source, "target_image_url": target, **more}
        return self.post("/face/swap", body | ({"async": True} if is_async else {}), headers)

    def start(self, source: str, target: str, **more: Any) -> str:
        """Start an asynchronous swap and return its task id."""
        answer = self.swap(source, target, is_async=True, **more)
        assert answer.status_code == 200, answer.text
        task_id: str = answer.json()["task_id"]
        return task_id

    def task(self, task_id: str) -> dict[str, Any]:
        answer = self.post("/face/tasks", {"id": task_id, "action": "retrieve"})
        assert answer.status_code == 200, answer.text
        task: dict[str, Any] = answer.json()
        return task

    def finished(self, task_id: str) -> dict[str, Any]:
        """Poll a task until it has ended, and return it."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while state_of(task := self.task(task_id)) == "running":
            assert time.monotonic() < deadline, f"still running: {task}"
            time.sleep(0.1)
        return task

    def quota(self) -> int:
        """Return the remaining quota, which is in the headers of any response."""
        answer = self.post("/face/tasks", {"ids": [], "action": "retrieve_batch"})
        return int(answer.headers["x-quota-remaining"])

    def at_once(self, count: int, source: str, target: str, **more: Any) -> list[requests.Response]:
        """Make the same call so many times in parallel."""
        with ThreadPoolExecutor(count) as pool:
            calls = [pool.submit(self.swap, source, target, **more) for _ in range(count)]
            return [call.result() for call in calls]


def state_of(task: dict[str, Any]) -> State:
    """Return the state in ``response`` or the whole body: a status word, an error or a URL."""
    response = task.get("response", task)
    words = [value for name, value in walk(response) if name in {"status", "state"}]
    if words:
        return words[0] if words[0] in {"succeeded", "failed"} else "running"
    if response.get("success") is False and isinstance(response.get("error"), dict):
        return "failed"
    if any(name.endswith("_url") and value for name, value in walk(response)):
        return "succeeded"
    return "running"


def walk(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield every field, however deeply nested."""
    if isinstance(value, list):
        for part in value:
            yield from walk(part)
    if isinstance(value, dict):
        yield from value.items()
        for part in value.values():
            yield from walk(part)
