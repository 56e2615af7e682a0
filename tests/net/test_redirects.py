"""Redirects, and names that change their address: every connection is checked anew."""

import pytest
from pytest_django import Settings

from swaps import net
from swaps.net import BadResponse, NotAllowed
from tests.net.strangers import LOCAL, SLACK, Resolver, Sentinels, fetch
from tests.net_servers import (
    Peer,
    answer,
    drips,
    leads_to,
    says,
    serving,
    serving_beside_sentinel,
)

# --- Redirects ------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_three_redirects_are_followed(status: int) -> None:
    with serving(says(answer(b"picture"))) as last:
        end = f"http://start.test:{last.port}/end"
        with serving(leads_to("/a/b", "c?d", end, status=status)) as server:
            assert fetch(server.port) == b"picture"
    asked = [request.split()[1] for request in server.requests + last.requests]
    assert asked == [b"/", b"/a/b", b"/a/c?d", b"/end"]


def test_a_fourth_redirect_is_too_many() -> None:
    with serving(leads_to("/again")) as server, pytest.raises(BadResponse) as refusal:
        fetch(server.port)
    assert refusal.value.status == 302
    assert server.seen == 4


@pytest.mark.parametrize("hop", [1, 3])
@pytest.mark.parametrize(
    "place",
    [
        "http://127.0.0.1/",
        "http://127.0.0.1:{port}/",
        "//127.0.0.1:{port}/",
        "https://127.0.0.1/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://[::1]/",
        "http://[::1]:{port}/",
        "http://[::ffff:127.0.0.1]/",
        "http://[fe80::1%25lo]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/",
        "http://localhost/",
        "http://localhost:{port}/",
        "http://inside.test/",
        "http://inside.test:{port}/",
        "https://inside.test/",
        "http://alice:secret@start.test/",
        "http://start.test@127.0.0.1/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:{port}/",
        "javascript:alert(1)",
        "http:\\\\127.0.0.1\\",
        "http://127.0.0.1\\@start.test/",
        "http://[",
        "http://[::1",
        "http://start.test:99999/",
        "http://\xff\xfe/",
        "http://sta rt.test/",
        "http://\xc2\xb2/",
        "http://" + "a" * 5_000,
    ],
    ids=ascii,
)
def test_a_redirect_leads_nowhere_that_a_url_may_not(
    place: str, hop: int, sentinels: Sentinels
) -> None:
    places = ["/on"] * (hop - 1) + [place.format(port=sentinels.port)]
    resolve, seen = Resolver([LOCAL]), sentinels.seen
    with serving(leads_to(*places)) as server, pytest.raises(NotAllowed):
        fetch(server.port, resolve=resolve)
    assert server.seen == hop
    assert sentinels.seen == seen


def test_the_body_of_a_redirect_is_not_read() -> None:
    endless = drips(b"HTTP/1.1 302 Found\r\nLocation: /next\r\n\r\n", b"x" * 1_000, pause=0)

    def behave(peer: Peer) -> None:
        (endless if peer.number == 0 else says(answer(b"picture")))(peer)

    with serving(behave) as server:
        assert fetch(server.port, seconds=SLACK) == b"picture"


def test_spaces_and_utf8_in_a_redirect_are_understood() -> None:
    with serving(leads_to("/my ph\xc3\xb6to")) as server, pytest.raises(BadResponse):
        fetch(server.port)
    assert server.requests[1].startswith(b"GET /my%20ph%C3%B6to HTTP/1.1")


# --- Names that change their address --------------------------------------------------------------


def test_what_was_checked_is_what_is_connected_to(settings: Settings) -> None:
    """127.0.0.2 stands for a public address. A second question would lead to the sentinel."""
    settings.FACESWAP_FETCH_ALLOW = ["127.0.0.2/32"]
    with serving_beside_sentinel(says(answer(b"picture"))) as (server, sentinel):
        rebinding = Resolver(["127.0.0.2"], [LOCAL])
        url = f"http://rebinding.test:{server.port}/"
        assert net.fetch(url, max_bytes=100, resolve=rebinding) == b"picture"
        assert rebinding.asked == ["rebinding.test"]
        with pytest.raises(NotAllowed):
            net.fetch(url, max_bytes=100, resolve=rebinding)
    assert (server.seen, sentinel.seen) == (1, 0)
    assert f"\r\nHost: rebinding.test:{server.port}\r\n".encode() in server.requests[0]


@pytest.mark.parametrize(
    "answers", [[answer(status=503)], [answer(status=302, head="Location: /\r\n")]]
)
def test_every_connection_resolves_and_checks_anew(
    settings: Settings, answers: list[bytes]
) -> None:
    """A second try and a redirect are connections of their own."""
    settings.FACESWAP_FETCH_ALLOW = ["127.0.0.2/32"]
    rebinding = Resolver(["127.0.0.2"], [LOCAL])
    with (
        serving_beside_sentinel(says(*answers)) as (server, sentinel),
        pytest.raises(NotAllowed),
    ):
        net.fetch(f"http://rebinding.test:{server.port}/", max_bytes=100, resolve=rebinding)
    assert rebinding.asked == ["rebinding.test"] * 2
    assert (server.seen, sentinel.seen) == (1, 0)
