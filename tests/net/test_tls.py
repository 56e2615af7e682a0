"""Certificates go by the name, and TLS has the same deadline."""

from functools import partial
from pathlib import Path

import pytest
from pytest_django import Settings

from swaps import net
from swaps.net import NotReached
from tests.net.strangers import LOCAL, OK, SHORT, Resolver, fetch, is_over_in_time
from tests.net_servers import (
    answer,
    certificate_for,
    drips,
    says,
    serving,
)


class Tls:
    """A server's side, with a certificate for start.test."""

    def __init__(self, folder: Path) -> None:
        self.names: list[str | None] = []  # as clients call the server
        self.certificate, self.context = certificate_for(folder, self.names)


@pytest.fixture
def tls(tmp_path: Path) -> Tls:
    return Tls(tmp_path)


@pytest.fixture
def trusted_tls(tls: Tls, monkeypatch: pytest.MonkeyPatch) -> Tls:
    """As an operator makes it trusted."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tls.certificate))
    return tls


def test_a_certificate_goes_by_the_name_and_not_by_the_address(trusted_tls: Tls) -> None:
    with serving(says(answer(b"picture")), tls=trusted_tls.context) as server:
        assert fetch(server.port, scheme="https") == b"picture"
        assert fetch(server.port, scheme="HTTPS") == b"picture"
    assert trusted_tls.names == ["start.test"] * 2
    assert f"\r\nHost: start.test:{server.port}\r\n".encode() in server.requests[0]


def test_a_certificate_for_another_name_is_not_trusted(
    trusted_tls: Tls, settings: Settings
) -> None:
    settings.FACESWAP_FETCH_ALLOW = ["other.test", LOCAL]
    with serving(says(answer(b"picture")), tls=trusted_tls.context) as server:
        for host in ("other.test", LOCAL):
            with pytest.raises(NotReached, match="certificate"):
                net.fetch(
                    f"https://{host}:{server.port}/", max_bytes=100, resolve=Resolver([LOCAL])
                )
    assert server.requests == []


def test_a_certificate_by_itself_is_not_trusted(tls: Tls) -> None:
    with (
        serving(says(answer(b"picture")), tls=tls.context) as server,
        pytest.raises(NotReached, match="certificate"),
    ):
        fetch(server.port, scheme="https")
    assert server.requests == []


def test_http_at_a_tls_port_and_the_other_way_round_are_errors_of_ours(trusted_tls: Tls) -> None:
    with serving(says(answer())) as plain, pytest.raises(NotReached):
        fetch(plain.port, scheme="https", seconds=SHORT)
    with serving(says(answer()), tls=trusted_tls.context) as server, pytest.raises(NotReached):
        fetch(server.port, seconds=SHORT)


def test_within_tls_a_server_that_is_never_done_is_left_in_time(trusted_tls: Tls) -> None:
    for behave in (drips(OK + b"\r\n", b"x"), drips(OK, b"x")):
        with serving(behave, tls=trusted_tls.context) as server:
            is_over_in_time(partial(fetch, server.port, scheme="https", seconds=SHORT))
