"""A client as a customer writes it: ``requests``, a base URL and a key. It knows the contract only.

What it takes for the state of a task is what published clients of the reference provider do
(contract, section 4), word by word.
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
        """The id of a task that was accepted."""
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
        """The task once it has ended, as this client sees it."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while state_of(task := self.task(task_id)) == "running":
            assert time.monotonic() < deadline, f"still running: {task}"
            time.sleep(0.1)
        return task

    def quota(self) -> int:
        """What is left, as any answer says."""
        answer = self.post("/face/tasks", {"ids": [], "action": "retrieve_batch"})
        return int(answer.headers["x-quota-remaining"])

    def at_once(self, count: int, source: str, target: str, **more: Any) -> list[requests.Response]:
        """The same call so many times in parallel."""
        with ThreadPoolExecutor(count) as pool:
            calls = [pool.submit(self.swap, source, target, **more) for _ in range(count)]
            return [call.result() for call in calls]


def state_of(task: dict[str, Any]) -> State:
    """From ``response``, or the whole answer without it: a status word, an error, or a URL."""
    said = task.get("response", task)
    words = [value for name, value in walk(said) if name in {"status", "state"}]
    if words:
        return words[0] if words[0] in {"succeeded", "failed"} else "running"
    if said.get("success") is False and isinstance(said.get("error"), dict):
        return "failed"
    if any(name.endswith("_url") and value for name, value in walk(said)):
        return "succeeded"
    return "running"


def walk(value: Any) -> Iterator[tuple[str, Any]]:
    """Every field, however deep."""
    if isinstance(value, list):
        for part in value:
            yield from walk(part)
    if isinstance(value, dict):
        yield from value.items()
        for part in value.values():
            yield from walk(part)
