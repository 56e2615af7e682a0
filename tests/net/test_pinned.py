"""``net.fetch(only=…)``: hosts that the operator named may be asked, and no others."""

from collections.abc import Iterator, Sequence

import pytest
from pytest_django import Settings

from swaps import net
from swaps.net import BadResponse, NotAllowed
from tests.net_servers import Server, answer, leads_to, says, serving

LOCAL = "127.0.0.1"


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(says(answer(b"picture"))) as server:
        yield server


def fetch(url: str, only: Sequence[str]) -> bytes:
    return net.fetch(url, max_bytes=100, seconds=5, resolve=lambda host: [LOCAL], only=only)


@pytest.mark.parametrize("only", ["cdn.test", "cdn.test:{port}", "CDN.test", LOCAL + "/32"])
def test_a_host_that_was_named_is_asked_although_it_is_private(only: str, server: Server) -> None:
    named = ["other.test", only.format(port=server.port)]
    assert fetch(f"http://cdn.test:{server.port}/a.png?b=c", named) == b"picture"
    assert server.requests[0].startswith(b"GET /a.png?b=c HTTP/1.1\r\n")


@pytest.mark.parametrize(
    "only", ["other.test", "cdn.test:1", "test", "cdn.test.other.test", "10.0.0.0/8"]
)
def test_no_other_host_is_asked(only: str, server: Server) -> None:
    with pytest.raises(NotAllowed):
        fetch(f"http://cdn.test:{server.port}/", [only])
    assert server.seen == 0


@pytest.mark.parametrize("url", ["http://public.test/", "https://93.184.215.14/"])
def test_a_public_address_is_not_asked_either(url: str) -> None:
    with pytest.raises(NotAllowed, match="not on the list"):
        net.fetch(url, max_bytes=100, resolve=lambda host: ["93.184.215.14"], only=["cdn.test"])


def test_what_strangers_may_be_asked_for_does_not_count(settings: Settings, server: Server) -> None:
    settings.FACESWAP_FETCH_ALLOW = ["cdn.test", "127.0.0.0/8"]
    with pytest.raises(NotAllowed):
        fetch(f"http://cdn.test:{server.port}/", ["other.test"])
    assert server.seen == 0


def test_without_a_list_everything_is_as_it_was(settings: Settings, server: Server) -> None:
    url = f"http://cdn.test:{server.port}/"
    with pytest.raises(NotAllowed):
        fetch(url, [])
    settings.FACESWAP_FETCH_ALLOW = ["cdn.test"]
    assert fetch(url, []) == b"picture"


@pytest.mark.parametrize("hop", [1, 3])
@pytest.mark.parametrize(
    "place", ["http://other.test:{port}/", "http://127.0.0.1:{port}/", "http://93.184.215.14/"]
)
def test_a_redirect_leads_to_no_other_host(place: str, hop: int, server: Server) -> None:
    places = ["/on"] * (hop - 1) + [place.format(port=server.port)]
    with serving(leads_to(*places)) as first, pytest.raises(NotAllowed):
        fetch(f"http://cdn.test:{first.port}/", ["cdn.test"])
    assert first.seen == hop
    assert server.seen == 0


def test_a_redirect_may_lead_to_another_that_was_named(server: Server) -> None:
    with serving(leads_to(f"http://other.test:{server.port}/")) as first:
        assert fetch(f"http://cdn.test:{first.port}/", ["cdn.test", "other.test"]) == b"picture"


def test_redirects_without_an_end_are_too_many() -> None:
    with serving(leads_to("/again")) as server, pytest.raises(BadResponse):
        fetch(f"http://cdn.test:{server.port}/", ["cdn.test"])


@pytest.mark.parametrize("only", ["*", "http://cdn.test", "cdn.test/a", ""])
def test_a_list_that_cannot_be_understood_is_no_open_door(only: str, server: Server) -> None:
    with pytest.raises(ValueError, match="cannot be understood"):
        fetch(f"http://cdn.test:{server.port}/", [only])
    assert server.seen == 0
