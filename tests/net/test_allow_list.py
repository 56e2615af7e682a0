"""FACESWAP_FETCH_ALLOW: what the operator allows is reached, and nothing else."""

import pytest
from pytest_django import Settings

from swaps import net
from swaps.net import NotAllowed
from tests.net.strangers import LOCAL, Resolver, Sentinels
from tests.net_servers import (
    answer,
    says,
    serving,
)


@pytest.mark.parametrize(
    ("entry", "url"),
    [
        ("inside.test", "http://inside.test:{port}/"),
        ("Inside.Test.", "http://INSIDE.test.:{port}/"),
        ("inside.test:{port}", "http://inside.test:{port}/"),
        ("127.0.0.1", "http://127.0.0.1:{port}/"),
        ("127.0.0.1:{port}", "http://127.0.0.1:{port}/"),
        ("127.0.0.0/8", "http://127.0.0.1:{port}/"),
        ("127.0.0.1/32", "http://inside.test:{port}/"),
    ],
)
def test_what_is_allowed_is_reached(entry: str, url: str, settings: Settings) -> None:
    with serving(says(answer(b"picture"))) as server:
        settings.FACESWAP_FETCH_ALLOW = [entry.format(port=server.port)]
        url = url.format(port=server.port)
        net.check_url(url)
        assert net.fetch(url, max_bytes=100, resolve=Resolver([LOCAL])) == b"picture"


@pytest.mark.parametrize(
    ("entry", "url"),
    [
        ("inside.test", "http://127.0.0.1:{port}/"),
        ("inside.test", "http://deeper.inside.test:{port}/"),
        ("inside.test", "http://inside.test.example:{port}/"),
        ("inside.test:1", "http://inside.test:{port}/"),
        ("inside.test:{port}", "http://inside.test/"),
        ("127.0.0.1:{port}", "http://inside.test:{port}/"),
        ("127.0.0.1", "http://[::ffff:127.0.0.1]:{port}/"),
        ("127.0.0.2/31", "http://127.0.0.1:{port}/"),
        ("127.0.0.2/31", "http://inside.test:{port}/"),
        ("10.0.0.0/8", "http://93.184.215.14:{port}/"),
        ("::/0", "http://inside.test:{port}/"),
        ("inside.test", "http://alice@inside.test:{port}/"),
        ("inside.test", "ftp://inside.test:{port}/"),
    ],
)
def test_what_is_allowed_opens_nothing_else(
    entry: str, url: str, settings: Settings, sentinels: Sentinels
) -> None:
    settings.FACESWAP_FETCH_ALLOW = [entry.format(port=sentinels.port)]
    seen = sentinels.seen
    with pytest.raises(NotAllowed):
        net.fetch(url.format(port=sentinels.port), max_bytes=100, resolve=Resolver([LOCAL]))
    assert sentinels.seen == seen


def test_every_kind_of_entry_is_understood() -> None:
    allow = net.parse_allow_list(
        [
            *("Pictures.lan", "store.lan:9000", "10.0.0.7", "::1", "[::1]:8080", "192.168.5.0/24"),
            "Bücher.lan:81",
        ]
    )
    assert allow.hosts == {
        ("xn--bcher-kva.lan", 81),
        ("pictures.lan", None),
        ("store.lan", 9000),
        ("10.0.0.7", None),
        ("::1", None),
        ("::1", 8080),
    }
    assert list(map(str, allow.networks)) == ["192.168.5.0/24"]


@pytest.mark.parametrize(
    "entry",
    [
        "",
        " ",
        "*",
        "*.lan",
        "a b",
        ":80",
        "host:",
        "host:0",
        "host:080",
        "host:65536",
        "host:http",
        "http://host",
        "alice@host",
        "host?x",
        "host#x",
        "host/path",
        "10.0.0.1/8",
        "10.0.0.0/33",
        "127.1",
        "0x7f000001",
        "[::1",
        "[::1]:",
        "1:2:3",
        "🙂.example",
        "h\nost",
    ],
)
def test_an_entry_that_cannot_be_understood_is_named(entry: str) -> None:
    with pytest.raises(ValueError, match="cannot be understood: write a host, ") as error:
        net.parse_allow_list(["fine.test", entry])
    assert repr(entry) in str(error.value)
