"""Calls that wait: they get their result, give up in time, and hold up nobody else."""

import io
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection, connections
from pytest_django import Settings

from swaps import errors
from swaps.api import waiting
from swaps.lifecycle.remove import remove_swap
from swaps.lifecycle.settle import settle
from swaps.models import ApiAccess, Status, Swap
from swaps.runtime import request_slots
from tests.api_caller import SAMPLES, Caller, error_code
from tests.running import wait_until
from tests.swap_rows import finished

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def calling(caller: Caller, body: object = None) -> Iterator[Future[Any]]:
    """A synchronous call in a thread of its own, from its queued swap on."""
    before = set(Swap.objects.values_list("pk", flat=True))

    def call() -> Any:
        try:
            return caller.swap(SAMPLES if body is None else body)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(call)
        assert wait_until(lambda: future.done() or Swap.objects.exclude(pk__in=before).exists()), (
            "no swap was requested"
        )
        yield future


def the_swap() -> Swap:
    return Swap.objects.newest_first()[0]


def test_a_waiting_call_is_answered_with_the_picture(caller: Caller) -> None:
    with calling(caller) as future:
        swap = the_swap()
        assert swap.claim()
        settle(swap, finished())
        answer = future.result(60)
    body = answer.json()
    assert answer.status_code == 200
    assert body["task_id"] == str(swap.pk)
    assert (body["image_width"], body["image_height"]) == (40, 30)
    assert body["trace_id"] == answer["x-trace-id"] == swap.trace_id


def test_a_waiting_call_is_answered_with_the_error_of_its_swap(caller: Caller) -> None:
    with calling(caller) as future:
        swap = the_swap()
        settle(swap, errors.NoFace("target", image="target"))
        answer = future.result(60)
    assert (answer.status_code, error_code(answer)) == (400, "no_face")
    assert answer.json()["task_id"] == str(swap.pk)
    assert answer["x-quota-remaining"] == "20"


def test_a_call_whose_swap_is_removed_does_not_wait_on(caller: Caller) -> None:
    with calling(caller) as future:
        remove_swap(the_swap())
        answer = future.result(60)
    assert (answer.status_code, error_code(answer)) == (404, "not_found")


def test_a_call_waits_no_longer_than_it_was_told_to_and_the_task_goes_on(caller: Caller) -> None:
    begun = time.monotonic()
    answer = caller.swap({**SAMPLES, "timeout": 0.2})
    assert 0.2 <= time.monotonic() - begun < 30
    assert (answer.status_code, error_code(answer)) == (504, "timeout")
    swap = Swap.objects.get(pk=answer.json()["task_id"])
    assert swap.status == Status.QUEUED
    assert ApiAccess.objects.get_or_grant(caller.user).remaining == 19


def test_no_call_waits_longer_than_the_server_allows(caller: Caller, settings: Settings) -> None:
    settings.FACESWAP_API_MAX_WAIT_SECONDS = 0.2
    begun = time.monotonic()
    assert error_code(caller.swap({**SAMPLES, "timeout": 1e9})) == "timeout"
    assert time.monotonic() - begun < 30


def test_past_the_limit_a_call_is_told_to_use_a_callback_and_nothing_is_spent(
    caller: Caller, settings: Settings
) -> None:
    settings.FACESWAP_API_WAITING_CALLS = 2
    with calling(caller) as future:
        refused = caller.swap(SAMPLES)
        asynchronous = caller.swap()
        swap = Swap.objects.order_by("created_at")[0]
        assert swap.claim()
        settle(swap, finished())
        assert future.result(60).status_code == 200
    assert (refused.status_code, error_code(refused)) == (429, "too_many_requests")
    assert "callback_url" in refused.json()["error"]["message"]
    assert int(refused["retry-after"]) > 0
    assert refused["x-quota-remaining"] == "19"
    assert asynchronous.status_code == 200


def test_one_account_leaves_half_of_the_places_to_others(
    caller: Caller, stranger: Caller, settings: Settings
) -> None:
    settings.FACESWAP_API_WAITING_CALLS = 2
    with calling(caller):
        mine = caller.swap({**SAMPLES, "timeout": 0.05})
        theirs = stranger.swap({**SAMPLES, "timeout": 0.05})
        for swap in Swap.objects.unfinished():
            remove_swap(swap)
    assert error_code(mine) == "too_many_requests"
    assert error_code(theirs) == "timeout"


def test_a_watcher_that_broke_once_goes_on_watching(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken: list[int] = []
    wake = waiting._wake

    def breaks_once(*args: Any) -> None:
        if not broken:
            broken.append(1)
            raise RuntimeError
        wake(*args)

    monkeypatch.setattr(waiting, "_wake", breaks_once)
    with calling(caller) as future:
        remove_swap(the_swap())
        assert error_code(future.result(60)) == "not_found"
    assert broken


def test_a_process_that_is_about_to_stop_keeps_nobody_waiting(caller: Caller) -> None:
    is_leaving = threading.Event()
    environ: dict[str, Any] = caller.client.defaults  # strings alone, say Django's types
    environ[request_slots.IS_LEAVING] = is_leaving.is_set
    with calling(caller) as future:
        is_leaving.set()
        assert error_code(future.result(60)) == "timeout"


def test_nobody_watches_when_nobody_waits(caller: Caller) -> None:
    caller.swap({**SAMPLES, "timeout": 0.05})
    assert wait_until(lambda: "waiting" not in {t.name for t in threading.enumerate()})


# --- room to work ---------------------------------------------------------------------------


def in_threads(application: request_slots.Application, count: int) -> list[threading.Thread]:
    def run() -> None:
        list(application({"wsgi.input": io.BytesIO()}, None))

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    return threads


def test_no_more_requests_work_at_once_than_there_are_places() -> None:
    at_work, most, lock = 0, 0, threading.Lock()
    both = threading.Barrier(2, timeout=60)

    def application(_environ: dict[str, Any], _start: Any) -> list[bytes]:
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
        both.wait()
        time.sleep(0.02)
        with lock:
            at_work -= 1
        return []

    for thread in in_threads(request_slots.limit_concurrency(application, slots=2), 10):
        thread.join()
    assert most == 2


def test_who_steps_aside_lets_others_work_and_needs_no_connection() -> None:
    go_on, asked = threading.Event(), []
    held: set[int] = set()

    def application(_environ: dict[str, Any], _start: Any) -> list[bytes]:
        held.add(id(connections["default"]))
        with request_slots.released_slot():
            asked.append(1)
            go_on.wait(60)
        Swap.objects.exists()
        held.add(id(connections["default"]))
        connections["default"].close()  # or it would stay open with its place
        return []

    threads = in_threads(request_slots.limit_concurrency(application, slots=1), 20)
    assert wait_until(lambda: len(asked) == 20)
    go_on.set()
    for thread in threads:
        thread.join()
    assert len(held) == 1


def test_a_slow_sender_takes_nobodys_place() -> None:
    class SlowBody(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            asked.set()
            go_on.wait(60)
            return super().read(size)

    go_on, asked, done = threading.Event(), threading.Event(), threading.Event()

    def application(environ: dict[str, Any], _start: Any) -> list[bytes]:
        environ["wsgi.input"].read(10)
        done.set()
        return []

    limited = request_slots.limit_concurrency(application, slots=1)
    slow = threading.Thread(target=lambda: limited({"wsgi.input": SlowBody()}, None))
    slow.start()
    assert asked.wait(60)
    limited({"wsgi.input": io.BytesIO(b"fast")}, None)
    assert done.is_set()
    go_on.set()
    slow.join()


def test_a_sender_that_falls_silent_is_not_waited_for() -> None:
    read: list[bytes] = []

    def application(environ: dict[str, Any], _start: Any) -> list[bytes]:
        body = environ["wsgi.input"]
        read.extend((body.read(5), body.read(5), body.read(5)))
        return []

    here, there = socket.socketpair()
    with here, there:
        there.sendall(b"hello")
        body = SimpleNamespace(read=here.recv, readline=here.recv)  # gunicorn's asks the socket
        limited = request_slots.limit_concurrency(application, max_silence_seconds=0.1)
        limited({"wsgi.input": body, "gunicorn.socket": here}, None)
    assert read == [b"hello", b"", b""]


def test_a_request_that_breaks_gives_its_place_back() -> None:
    def application(_environ: dict[str, Any], _start: Any) -> list[bytes]:
        raise RuntimeError

    limited: Callable[[dict[str, Any], Any], Any] = request_slots.limit_concurrency(
        application, slots=1
    )
    for _ in range(3):
        with pytest.raises(RuntimeError):
            limited({"wsgi.input": io.BytesIO()}, None)
