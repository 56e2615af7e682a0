"""The parts of the web worker that no client sees."""

import os
import selectors
import socket
import time

from gunicorn.config import Config
from gunicorn.workers.gthread import TConn

from swaps.processes.gunicorn_worker import PartialRequest, Worker

HEAD = b"POST / HTTP/1.1\r\nX: " + b"x" * 60_000


def _cpu_seconds_of_single_bytes(request: PartialRequest, count: int) -> float:
    begun = time.process_time()
    for _ in range(count):
        request.add(b"x")
    return time.process_time() - begun


def test_bytes_that_come_one_by_one_after_a_long_head_cost_no_search_of_it_each() -> None:
    head, body = PartialRequest(begun=0), PartialRequest(begun=0)
    head.add(HEAD)
    body.add(HEAD + b"\r\nContent-Length: 5000\r\n\r")
    body.add(b"\n")
    assert (head.missing, body.missing) == (None, 5_000)

    assert _cpu_seconds_of_single_bytes(head, 4_000) < 0.2  # 1.8 s when all is searched each time
    assert _cpu_seconds_of_single_bytes(body, 4_000) < 0.2
    assert (head.missing, body.missing) == (None, 1_000)


def test_an_event_of_a_connection_that_was_dropped_meanwhile_is_passed_over() -> None:
    """The poller tells of several at once, and a new connection may be first among them."""
    worker = Worker(1, os.getpid(), [], None, 30, config := Config(), None)
    worker.poller, worker.nr_conns = selectors.DefaultSelector(), 1
    ours, theirs = socket.socketpair()
    with ours, theirs, worker.poller:
        connection = TConn(config, ours, ("127.0.0.1", 1), ("127.0.0.1", 2))
        worker.enqueue_req(connection)
        theirs.sendall(b"GET")
        [(event, _)] = worker.poller.select(1)
        worker._drop(connection)
        event.data(ours)
    worker.tmp.close()
    assert (worker.nr_conns, worker.heads) == (0, {})
