"""Bodies sent in chunks, as some proxies stream them: they work, within the limits."""

import re

import pytest

from tests.doors.wire import CHUNKED, FORM, HOST, PASSWORD, Door, in_chunks, multipart, token_in
from tests.paths import SOURCE, TARGET


@pytest.fixture(params=["gunicorn", "nginx"])
def door(request: pytest.FixtureRequest) -> Door:
    """nginx passes the chunks on as they come (proxy_request_buffering off)."""
    door: Door = request.getfixturevalue(request.param)
    return door


def test_forms_may_come_in_chunks(door: Door) -> None:
    email = f"chunked-{door.port}@example.com"
    signed_up = door.sign_up(email, chunk_size=7, source="127.0.0.31")
    fields = {"login": email, "password": PASSWORD}
    signed_in = door.post("/accounts/login/", fields, chunk_size=1_000, source="127.0.0.31")
    page = door.ask("GET /swaps/new/", session := signed_in.cookies())
    sent = {"csrfmiddlewaretoken": token_in(page), "consent": "on"}
    kind, body = multipart(sent, {"source_image": SOURCE, "target_image": TARGET})
    referer = f"Referer: https://{HOST}/swaps/new/"

    requested = door.ask(
        "POST /swaps/new/", CHUNKED, kind, session, referer, body=in_chunks(body, 4_096)
    )

    assert [signed_up.status, signed_in.status, requested.status] == [302, 302, 302]
    assert re.search(r"(?i)^location: /swaps/[0-9a-f-]{36}/\r?$", requested.head, re.MULTILINE)


PHOTO = b'--b\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\n'
EVIL = {
    "past the limit of all photos": (
        ("Content-Type: multipart/form-data; boundary=b", CHUNKED),
        in_chunks(PHOTO + b"x" * 21_100_000, 60_000),
        413,
    ),
    "past the limit of a form": ((FORM, CHUNKED), in_chunks(b"a=" + b"x" * 1_100_000, 60_000), 413),
    "an unknown encoding": ((FORM, "Transfer-Encoding: nonsense"), b"0\r\n\r\n", 501),
    "a compressed one": ((FORM, "Transfer-Encoding: gzip, chunked"), b"0\r\n\r\n", 501),
    "chunks and a length": ((FORM, CHUNKED, "Content-Length: 5"), b"0\r\n\r\n", 400),
    "a size that is none": ((FORM, CHUNKED), b"zz\r\nabc\r\n0\r\n\r\n", 400),
    "a negative size": ((FORM, CHUNKED), b"-5\r\nabc\r\n0\r\n\r\n", 400),
    "a chunk that does not end": ((FORM, CHUNKED), b"3\r\nabcXX0\r\n\r\n", 400),
    "a trailer that is a header": ((FORM, CHUNKED), b"3\r\na=b\r\n0\r\nHost: x\r\n\r\n", 400),
    "an extension that is none": ((FORM, CHUNKED), b"3;=\r\na=b\r\n0\r\n\r\n", 400),
}


@pytest.mark.parametrize("name", EVIL)
def test_bodies_without_end_or_sense_are_refused(gunicorn: Door, name: str) -> None:
    headers, body, status = EVIL[name]
    cookie = f"Cookie: csrftoken={'a' * 32}"
    lines = ["POST /accounts/login/ HTTP/1.1", f"Host: {HOST}", "Connection: close", cookie]
    lines += [*headers, "X-Forwarded-Proto: https", f"Referer: https://{HOST}/", "", ""]

    answer = gunicorn.say("\r\n".join(lines).encode() + body)

    assert answer.status == status, answer
    assert re.search("(?i)content-security-policy: .*default-src 'none'", answer.head)


def test_extensions_and_trailers_are_read_over(gunicorn: Door) -> None:
    page = gunicorn.ask("GET /accounts/login/")
    body = f"csrfmiddlewaretoken={token_in(page)}&login=a".encode()
    size, headers = len(body), (CHUNKED, FORM, page.cookies(), f"Referer: https://{HOST}/")
    chunks = b"%x;name=value\r\n%s\r\n0\r\nX-Sum: 1\r\n\r\n" % (size, body)

    answer = gunicorn.ask("POST /accounts/login/", *headers, body=chunks)

    assert answer.status == 200  # the form, with what is missing in it
    assert "This field is required" in answer.body
