"""Servers that break the rules: an error of ours, never another one."""

from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from swaps import net
from swaps.net import BadResponse, NetError, NotReached
from tests.net.strangers import CHUNKED, OK, SHORT, Resolver, fetch, post
from tests.net_servers import (
    answer,
    says,
    serving,
)

BROKEN = {
    "nothing": b"",
    "half a status line": b"HTTP/1.",
    "garbage": b"\0\xff\xfe garbage \r\n\r\n",
    "another protocol": b"SSH-2.0-OpenSSH_9.6\r\n",
    "a page without a head": b"<html>hello</html>",
    "HTTP/2": b"HTTP/2 200\r\n\r\n",
    "a status that is no number": b"HTTP/1.1 OK 200\r\n\r\n",
    "status 9999": b"HTTP/1.1 9999 OK\r\n\r\n",
    "a negative status": b"HTTP/1.1 -200 OK\r\n\r\n",
    "a long status line": b"HTTP/1.1 200 " + b"x" * 70_000 + b"\r\n\r\n",
    "a long header": OK + b"x: " + b"y" * 70_000 + b"\r\n\r\n",
    "many headers": OK + b"x: y\r\n" * 200 + b"\r\n",
    "lengths that differ": OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
}
BROKEN_BODIES = {
    "a body cut short": OK + b"Content-Length: 100\r\n\r\nx",
    "a chunk that is none": CHUNKED + b"zz\r\nx\r\n0\r\n\r\n",
    "a negative chunk": CHUNKED + b"-5\r\nx\r\n0\r\n\r\n",
    "a chunk cut short": CHUNKED + b"ff\r\nx",
    "a long chunk size": CHUNKED + b"0" * 70_000 + b"1\r\nx\r\n",
    "no last chunk": CHUNKED + b"1\r\nx\r\n",
}
UNUSABLE = {
    "status 103": b"HTTP/1.1 103 Early Hints\r\n\r\n",
    "status 204": b"HTTP/1.1 204 No Content\r\n\r\n",
    "status 206": answer(b"x", status=206),
    "status 304": b"HTTP/1.1 304 Not Modified\r\n\r\n",
    "a redirect to nowhere": answer(status=302),
    "a redirect to nothing": answer(status=302, head="Location: \r\n"),
}


@pytest.mark.parametrize("message", BROKEN.values(), ids=BROKEN)
def test_a_broken_answer_is_an_error_of_ours(message: bytes) -> None:
    with serving(says(message)) as server, pytest.raises(NotReached, match="broke off"):
        post(server.port)


@pytest.mark.parametrize("message", BROKEN_BODIES.values(), ids=BROKEN_BODIES)
def test_a_picture_that_breaks_off_is_an_error_of_ours(message: bytes) -> None:
    with serving(says(message)) as server, pytest.raises(NotReached, match="broke off"):
        fetch(server.port)


@pytest.mark.parametrize("message", BROKEN_BODIES.values(), ids=BROKEN_BODIES)
def test_a_receiver_that_took_it_has_taken_it_however_its_answer_ends(message: bytes) -> None:
    with serving(says(message)) as server:
        assert post(server.port).status == 200


@pytest.mark.parametrize("message", UNUSABLE.values(), ids=UNUSABLE)
def test_anything_but_a_whole_picture_is_a_bad_answer(message: bytes) -> None:
    with serving(says(message)) as server, pytest.raises(BadResponse):
        fetch(server.port)


@pytest.mark.parametrize(
    "head",
    [
        "X-Odd: \xff\xfe\r\n",
        "\xff: x\r\n",
        "no colon here\r\n",
        ": no name\r\n",
        " folded\r\n",
        "Content-Type: multipart/mixed; boundary=x\r\n",
        "Content-Encoding: nonsense, gzip, br, x, y, z\r\n",
        "Set-Cookie: \0=\xff; domain=..\r\n",
        "Content-Length: 7\r\n",
    ],
)
def test_odd_headers_do_no_harm(head: str) -> None:
    with serving(says(answer(b"picture", head=head))) as server, suppress(NetError):
        assert fetch(server.port) in {b"picture", b""}


@given(message=st.binary(max_size=60), start=st.sampled_from([b"", b"HTTP/1.1 ", OK, CHUNKED]))
@hypothesis_settings(max_examples=60)
def test_any_bytes_are_an_answer_or_an_error_of_ours(message: bytes, start: bytes) -> None:
    with serving(says(start + message)) as server, suppress(NetError):
        assert post(server.port).status >= 100


@given(
    url=st.one_of(
        st.text(), st.builds("{}://{}".format, st.sampled_from(["http", "https"]), st.text())
    )
)
@example("http://[::1%25\ud800]/")
@example("http://xn--/")
@example("http://a\nb/")
@example("http://" + "9" * 1_000)
@example("http://" + "0x" * 500)
@example("http://" + "%31" * 500)
@hypothesis_settings(max_examples=200)
def test_any_text_is_refused_or_understood(url: str) -> None:
    resolve = Resolver(["10.0.0.1"])
    with pytest.raises(NetError):
        net.fetch(url, max_bytes=100, seconds=SHORT, resolve=resolve)
