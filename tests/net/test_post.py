"""Posting: any status is an answer, and nothing is sent twice."""

import pytest

from swaps import net
from swaps.net import NotReached
from tests.net.strangers import LOCAL, OK, Resolver, Sentinels, post
from tests.net_servers import (
    answer,
    drips,
    says,
    serving,
)


def test_a_post_carries_body_and_headers() -> None:
    with serving(says(answer(b"thanks", status=201))) as server:
        message = post(server.port, body=b'{"a": 1}')
    assert (message.status, message.body) == (201, b"thanks")
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert body == b'{"a": 1}'
    assert head.startswith(b"POST /hook HTTP/1.1\r\n")
    assert b"\r\nContent-Length: 8" in head
    assert b"\r\nContent-Type: application/json" in head


@pytest.mark.parametrize("status", [200, 204, 301, 302, 307, 400, 410, 500, 503])
def test_any_status_is_an_answer_to_a_post(status: int, sentinels: Sentinels) -> None:
    seen = sentinels.seen
    there = f"Location: http://127.0.0.1:{sentinels.port}/\r\n"
    with serving(says(answer(status=status, head=there))) as server:
        assert post(server.port).status == status
    assert server.seen == 1
    assert sentinels.seen == seen


def test_of_an_answer_to_a_post_the_beginning_is_kept() -> None:
    with serving(drips(OK + b"\r\n", b"x" * 999, pause=0)) as server:
        assert post(server.port).body == b"x" * 2_000


def test_a_post_is_never_tried_again() -> None:
    with serving(says(b"", answer())) as server, pytest.raises(NotReached):
        post(server.port)
    assert server.seen == 1


def test_a_post_cannot_smuggle_a_header() -> None:
    with serving(says(answer())) as server, pytest.raises(NotReached):
        net.post(
            f"http://start.test:{server.port}/",
            body=b"",
            headers={"X": "y\r\nSmuggled: z"},
            resolve=Resolver([LOCAL]),
        )
    assert not any(server.requests)
