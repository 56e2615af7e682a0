"""Every stranger here is a real server on this machine, and every name is resolved by the test.

``start.test`` is on the allow list and stands for the internet; nothing else may be reached.
"""

import gzip
import itertools
import logging
import socket
import threading
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from functools import partial
from ipaddress import AddressValueError, ip_address
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import Settings

from swaps import net
from swaps.net import BadAnswer, NetError, NotAllowed, NotReached, TooLarge
from swaps.net.addresses import is_public
from swaps.net.connection import Deadline
from tests.net_servers import (
    Behaviour,
    Peer,
    Server,
    answer,
    certified,
    drips,
    full,
    leads_to,
    says,
    serving,
    silent,
)

PUBLIC = "93.184.215.14"  # never connected to
LOCAL = "127.0.0.1"
SHORT = 0.3  # seconds that a call gets when it is meant to run out of them
SLACK = 20.0  # seconds after which it is certain that it did not stop in time
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


class Resolver:
    """Gives the first answer to the first question and so on; the last to all others."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def __call__(self, host: str) -> list[str]:
        self.asked.append(host)
        return self.answers[min(len(self.asked), len(self.answers)) - 1]


class Sentinels:
    """Servers that nobody may ever reach, at this machine's own addresses."""

    def __init__(self, servers: list[Server]) -> None:
        self.port = servers[0].port
        self._servers = servers

    @property
    def seen(self) -> int:
        return sum(server.seen for server in self._servers)


@pytest.fixture(scope="module")
def sentinels() -> Iterator[Sentinels]:
    """At a free port, at 80 and 443 if this process may, on IPv6 if there is any."""
    with ExitStack() as stack:
        servers = [stack.enter_context(serving(silent))]
        for at, port in itertools.product((LOCAL, "::1"), (servers[0].port, 80, 443)):
            if (at, port) != (LOCAL, servers[0].port):
                try:
                    servers.append(stack.enter_context(serving(silent, at=at, port=port)))
                except OSError:
                    continue
        yield Sentinels(servers)


@pytest.fixture(autouse=True)
def _only_start_is_allowed(settings: Settings) -> None:
    settings.FACESWAP_FETCH_ALLOW = ["start.test"]


def fetch(
    port: int,
    path: str = "/",
    *,
    scheme: str = "http",
    max_bytes: int = 10_000,
    seconds: float = 5,
    resolve: net.Resolve | None = None,
) -> bytes:
    return net.fetch(
        f"{scheme}://start.test:{port}{path}",
        max_bytes=max_bytes,
        seconds=seconds,
        resolve=resolve or Resolver([LOCAL]),
    )


def post(port: int, *, body: bytes = b"{}", seconds: float = 60) -> net.Response:
    return net.post(
        f"http://start.test:{port}/hook",
        body=body,
        headers={"Content-Type": "application/json"},
        seconds=seconds,
        resolve=Resolver([LOCAL]),
    )


# --- What may not be asked ------------------------------------------------------------------------

# {port} is a sentinel's. In the order: loopback, private, carriers', link-local and metadata,
# special, IPv6, names and passwords, not quite URLs, schemes, ports.
REFUSED_AT_ONCE = """
http://127.0.0.1/
http://127.0.0.1:{port}/
http://127.0.0.1:80/
https://127.0.0.1/
https://127.0.0.1:443/
http://127.0.0.1:80443/
http://127.0.0.1:080/
http://127.0.0.1./
http://127.0.0.1../
http://127.255.255.254/
http://127.1/
http://127.1:{port}/
http://127.0.1/
http://127.000.000.001/
http://2130706433/
http://2130706433:{port}/
http://2130706433./
http://6425673729/
http://0x7f000001/
http://0X7F000001/
http://0x7F.0.0.1/
http://0x7f.1/
http://0x7f.0x0.0x0.0x1/
http://017700000001/
http://0177.0.0.1/
http://0177.1/
http://0000177.0.0.1/
http://127.0x0.00.1/
http://127.0.0.1.0/
http://127.0.0.0x1/
http://0/
http://0x/
http://0.0.0.0/
http://0.0.0.0:{port}/
http://00000000000/
http://%31%32%37.0.0.1/
http://127%2e0%2e0%2e1/
http://127.0.0.1%2f/
http://127.0.0.%31:{port}/
http://１２７.０.０.１/
http://①②⑦.⓪.⓪.①/
http://127。0。0。1/
http://127．0．0．1/
http://127｡0｡0｡1/
http://١٢٧.٠.٠.١/
http://𝟙𝟚𝟟.𝟘.𝟘.𝟙/
http://0ₓ7f.1/
http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/
http://localhost/
http://LOCALHOST/
https://localhost:443/
http://localhost:{port}/
http://localhost./
http://LocalHost.:80/
http://localhost../
http://www.localhost/
http://a.b.localhost./
http://localhost.localdomain/
http://localhost4.localdomain4/
http://localhost6/
http://ip6-localhost/
http://ip6-loopback/
http://loc%61lhost/
http://ip6-allnodes/
http://loopback/
http://redis/
https://intranet./
http://notlocalhost/
http://printer.local/
http://metadata.google.internal/
http://host.docker.internal./
http://ROUTER.lan/
http://nas.home.arpa/
http://ｌｏｃａｌｈｏｓｔ/
http://localhost。/
http://ｆｏｏ．ｌｏｃａｌｈｏｓｔ/
http://alice@localhost/
http://localhost%00/
http://10.0.0.1/
http://10.255.255.255/
http://0xa000001/
http://012.0.0.1/
http://172.16.0.1/
http://172.31.255.255/
http://192.168.0.1/
http://192.168.257/
http://3232235777/
http://0xc0.0xa8.0x01.0x01/
http://0300.0250.1.1/
http://100.64.0.1/
http://100.100.100.200/latest/meta-data/
http://100.127.255.255/
http://169.254.169.254/latest/meta-data/
http://169.254.169.254:80/latest/meta-data/
http://169.254.170.2/v2/credentials
http://2852039166/
http://0xA9FEA9FE/
http://0251.0376.0251.0376/
http://169.254.43518/
http://⑯⑨.②⑤④.⑯⑨.②⑤④/
http://192.0.0.192/
http://192.0.2.1/
http://192.88.99.1/
http://198.18.0.1/
http://198.19.255.255/
http://198.51.100.1/
http://203.0.113.7/
http://224.0.0.1/
http://239.255.255.250/
http://240.0.0.1/
http://255.255.255.255/
http://[::1]/
http://[::1]:{port}/
https://[::1]/
http://[0:0:0:0:0:0:0:1]/
http://[0000:0000:0000:0000:0000:0000:0000:0001]:{port}/
http://[::0001]/
http://[::]/
http://[::]:{port}/
http://[::1%25lo]/
http://[::1%lo]:{port}/
http://[::127.0.0.1]/
http://[::ffff:127.0.0.1]/
http://[::ffff:127.0.0.1]:{port}/
http://[::FFFF:7F00:1]/
http://[0:0:0:0:0:ffff:127.0.0.1]/
http://[::ffff:0:127.0.0.1]/
http://[::ffff:10.0.0.1]/
http://[::ffff:169.254.169.254]/
http://[::ffff:93.184.215.14]/
http://[64:ff9b::7f00:1]/
http://[64:ff9b::169.254.169.254]/
http://[64:FF9B:1::A00:1]/
http://[100::1]/
http://[2001::1]/
http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/
http://[2001:2::1]/
http://[2001:10::1]/
http://[2001:db8::1]/
http://[2001:DB8:0:0:0:0:0:1]/
http://[2002:7f00:1::]/
http://[2002:a9fe:a9fe::1]/
http://[2606:4700:4700::1111%25eth0]/
http://[3fff:fff::1]/
http://[4000::1]/
http://[5f00::1]/
http://[fc00::1]/
http://[fd00:ec2::254]/latest/meta-data/
http://[FD12:3456:789A::1]/
http://[fe80::1]/
http://[fe80::1%25eth0]/
http://[fe80::1%eth0]/
http://[FE80::1%25lo]:{port}/
http://[febf::1]/
http://[fec0::1]/
http://[ff02::1]/
http://[ff05::1:3]/
http://[127.0.0.1]/
http://[::1/
http://[::1]]/
http://[]/
http://[v1.127.0.0.1]/
http://alice:secret@127.0.0.1/
http://alice@93.184.215.14/
http://alice:secret@93.184.215.14/
http://:@93.184.215.14/
http://93.184.215.14@127.0.0.1/
http://127.0.0.1@93.184.215.14/
http://93.184.215.14:80@127.0.0.1:{port}/
http://127.0.0.1:{port}@example.org/
http://a@b@127.0.0.1/
http://example.org&@127.0.0.1/
http://example.org%40127.0.0.1/
http://127.0.0.1#@example.org/
http://127.0.0.1?@example.org/
http://127.0.0.1;@example.org/
http://127.0.0.1\\@example.org/
http://example.org\\@127.0.0.1/
http:\\\\127.0.0.1\\
http:/\\127.0.0.1/
http:127.0.0.1
http:/127.0.0.1/
http:///127.0.0.1/
http://
//127.0.0.1/
127.0.0.1
127.0.0.1:{port}
http://.127.0.0.1/
http://127..0.0.1/
http://127.0.0.1 /
http://127.0.0.1\t/
http://127.0.0.1\rHost: example.org/
http://127.0.0.1\0.example.org/
http://127.0.0.1%00.example.org/
http://127.0.0.1%0d%0a/
http://127.0.0.1\u2028/
http://127.0.0.1\u00ad/
http://\u200b127.0.0.1/
http://\ufeff127.0.0.1/
ht\ttp://127.0.0.1/
file:///etc/passwd
file://127.0.0.1/etc/passwd
ftp://93.184.215.14/
gopher://93.184.215.14/_
dict://127.0.0.1:{port}/
ldap://127.0.0.1:{port}/
ws://93.184.215.14/
javascript:alert(1)
data:image/png;base64,AAAA
unix:///var/run/docker.sock
http+unix://%2fvar%2frun%2fdocker.sock/
jar:http://127.0.0.1/
view-source:http://127.0.0.1/
HTTP://127.0.0.1:{port}/
hTTpS://127.0.0.1:{port}/
http://93.184.215.14:22/
http://93.184.215.14:8080/
http://93.184.215.14:0/
http://93.184.215.14:65536/
http://93.184.215.14:-80/
http://93.184.215.14:+80/
http://93.184.215.14:8_0/
http://93.184.215.14:８０/
http://93.184.215.14:80:80/
https://93.184.215.14:8443/
https://[2606:4700:4700::1111]:{port}/
http://example.org:{port}/
http://example.org:6379/
""".strip("\n").split("\n")
NAMES = (
    "127.0.0.1.nip.io",
    "0x7f000001.example.org",
    "bücher.example",
    "BÜCHER.example",
    "bu\u0308cher.example",
    "faß.example",
    "例え。テスト",
    "localhost.example.org",
    "xn--bcher-kva.example",
    "under_score.example",
    "example.org:443",
)
PRIVATE_ANSWERS = (
    ["127.0.0.1"],
    ["::1"],
    ["10.1.2.3"],
    ["100.64.0.1"],
    ["169.254.169.254"],
    ["172.20.0.1"],
    ["192.168.1.1"],
    ["0.0.0.0"],
    ["224.0.0.1"],
    ["255.255.255.255"],
    ["::"],
    ["::ffff:127.0.0.1"],
    ["::ffff:93.184.215.14"],
    ["64:ff9b::7f00:1"],
    ["2002:7f00:1::1"],
    ["fd00::1"],
    ["fe80::1"],
    ["fe80::1%lo"],
    [PUBLIC, "127.0.0.1"],
    ["127.0.0.1", PUBLIC],
    [PUBLIC, "2606:4700:4700::1111", "::1"],
    ["2606:4700:4700::1111", PUBLIC, "10.0.0.1", PUBLIC],
    [PUBLIC, "fe80::1%lo"],
)


@pytest.mark.parametrize("spelling", REFUSED_AT_ONCE, ids=ascii)
def test_a_url_that_leads_inside_is_refused_without_a_connection(
    spelling: str, sentinels: Sentinels
) -> None:
    url, resolve, seen = spelling.format(port=sentinels.port), Resolver([LOCAL]), sentinels.seen
    ways: list[Callable[[], object]] = [
        lambda: net.check_url(url),
        lambda: net.fetch(url, max_bytes=100, resolve=resolve),
        lambda: net.post(url, body=b"", headers={}, resolve=resolve),
    ]
    for way in ways:
        with pytest.raises(NotAllowed):
            way()
    assert resolve.asked == []
    assert sentinels.seen == seen


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_name_that_resolves_to_this_machine_is_refused(
    scheme: str, name: str, sentinels: Sentinels
) -> None:
    url, resolve, seen = f"{scheme}://{name}/", Resolver([LOCAL]), sentinels.seen
    net.check_url(url)
    with pytest.raises(NotAllowed):
        net.fetch(url, max_bytes=100, resolve=resolve)
    assert len(resolve.asked) == 1
    assert sentinels.seen == seen


@pytest.mark.parametrize("addresses", PRIVATE_ANSWERS, ids=" ".join)
def test_a_name_is_refused_if_one_of_its_addresses_is_not_public(
    addresses: list[str], sentinels: Sentinels
) -> None:
    seen = sentinels.seen
    with pytest.raises(NotAllowed):
        net.fetch("http://name.test/", max_bytes=100, resolve=Resolver(addresses))
    assert sentinels.seen == seen


def test_the_sentinels_see_whoever_comes(settings: Settings, sentinels: Sentinels) -> None:
    """Otherwise the tests above would prove nothing."""
    settings.FACESWAP_FETCH_ALLOW = ["127.0.0.0/8"]
    seen = sentinels.seen
    with pytest.raises(NotReached):
        net.fetch(f"http://127.0.0.1:{sentinels.port}/", max_bytes=100, seconds=SHORT)
    assert sentinels.seen == seen + 1


SPECIAL = """
0.0.0.0-0.255.255.255
10.0.0.0-10.255.255.255
100.64.0.0-100.127.255.255
127.0.0.0-127.255.255.255
169.254.0.0-169.254.255.255
172.16.0.0-172.31.255.255
192.0.0.0-192.0.0.255
192.0.2.0-192.0.2.255
192.88.99.0-192.88.99.255
192.168.0.0-192.168.255.255
198.18.0.0-198.19.255.255
198.51.100.0-198.51.100.255
203.0.113.0-203.0.113.255
224.0.0.0-255.255.255.255
::-1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff
2001::-2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff
2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff
2002::-2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff
3fff::-3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff
4000::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff
"""


@pytest.mark.parametrize("network", SPECIAL.split())
def test_a_special_network_ends_where_it_ends(network: str) -> None:
    first, last = map(ip_address, network.split("-"))
    assert not is_public(first)
    assert not is_public(last)
    with suppress(AddressValueError):  # before it all begins
        assert is_public(first - 1)
    with suppress(AddressValueError):
        assert is_public(last + 1)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org",
        "https://example.org/",
        "HTTPS://EXAMPLE.ORG:443/",
        "https://example.org:/",
        "http://example.org:443/",
        "https://example.org./a/../b%20c?d=%2F&e=[f]#g",
        "https://bücher.example/übung?größe=ß",
        f"http://{PUBLIC}/",
        f"http://{PUBLIC}./",
        "https://[2606:4700:4700::1111]/",
        "https://1.example/",
        "https://0x7f.example/",
        "http://example.org/http://127.0.0.1/?u=alice:secret@127.0.0.1",
        "https://example.org/" + "a" * 3_980,
    ],
)
def test_other_urls_pass_the_first_check(url: str) -> None:
    net.check_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://example.org/" + "a" * 3_981,
        f"https://{'a' * 64}.example/",
        f"https://{'a.' * 130}example/",
        "https://exa$mple.org/",
        "https://example.org/\ud800",
        "https://\ud800/",
    ],
    ids=ascii,
)
def test_a_url_that_cannot_be_understood_is_refused(url: str) -> None:
    with pytest.raises(NotAllowed):
        net.check_url(url)


# --- What is asked, and what comes back -----------------------------------------------------------


def test_a_picture_is_fetched() -> None:
    with serving(says(answer(b"picture"))) as server:
        assert fetch(server.port, "/a?q=1&r=%2F#never-sent") == b"picture"
    head = server.requests[0].decode().lower()
    assert head.startswith("get /a?q=1&r=%2f http/1.1\r\n")
    assert f"\r\nhost: start.test:{server.port}\r\n" in head
    assert "\r\naccept-encoding: identity\r\n" in head
    assert "\r\nuser-agent: faceswap-site\r\n" in head
    assert "never-sent" not in head
    assert "cookie" not in head


def test_what_is_not_ascii_is_encoded() -> None:
    with serving(says(answer())) as server:
        fetch(server.port, '/ü%c3%bc?ß="')
    assert server.requests[0].startswith(b"GET /%C3%BC%c3%bc?%C3%9F=%22 HTTP/1.1\r\n")


@pytest.mark.parametrize(
    "path",
    [
        "/a%2fb%2Fc%3f",
        "/%7ea/~a/%41",
        "/a/../b/./c//d",
        "/%2e%2e/a",
        "/100%/%zz?%",
        "/a?b=%2f&c=a+b%20c&d",
        "/a?",
        "/?a=/../b",
        "/a;b=c/!$&'()*+,=:@",
    ],
)
def test_a_path_is_sent_as_it_came(path: str) -> None:
    """Who signed a URL signed it as it is written. A redirect's is no other matter."""
    leads_on = answer(status=302, head=f"Location: {path}\r\n")
    with serving(says(leads_on, answer(b"picture"))) as server:
        assert fetch(server.port, path) == b"picture"
    sent = [request.split(b"\r\n")[0].decode() for request in server.requests]
    assert sent == [f"GET {path} HTTP/1.1"] * 2


@pytest.mark.parametrize(("end", "path"), [("", "/"), ("?a=b", "/?a=b"), ("#a", "/")])
def test_a_url_without_a_path_asks_for_the_root(end: str, path: str) -> None:
    with serving(says(answer())) as server:
        fetch(server.port, end)
    assert server.requests[0].startswith(f"GET {path} HTTP/1.1\r\n".encode())


def test_the_environment_has_no_say(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sentinels: Sentinels
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine start.test login alice password secret")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{sentinels.port}")
    seen = sentinels.seen
    with serving(says(answer(b"picture"))) as server:
        assert fetch(server.port) == b"picture"
    assert b"authorization" not in server.requests[0].lower()
    assert sentinels.seen == seen


def test_cookies_and_connections_are_not_kept() -> None:
    """The redirect sets one and leads back to the same server."""
    first = answer(status=302, head="Location: /next\r\nSet-Cookie: a=b\r\n")
    with serving(says(first, answer())) as server:
        fetch(server.port)
        fetch(server.port)
    assert server.seen == 3
    assert all(b"cookie" not in request.lower() for request in server.requests)


def test_the_body_may_come_without_a_length_and_in_chunks() -> None:
    bodies = [
        b"HTTP/1.0 200 OK\r\n\r\npicture",
        OK + b"\r\npicture",
        CHUNKED + b"4;x=y\r\npict\r\n3\r\nure\r\n0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" + answer(b"picture"),
    ]
    with serving(says(*bodies)) as server:
        assert {fetch(server.port) for _ in bodies} == {b"picture"}


def test_ipv6_is_spoken(settings: Settings) -> None:
    try:
        server = serving(says(answer(b"picture")), at="::1")
    except OSError:
        pytest.skip("SKIPPED: IPv6")
    settings.FACESWAP_FETCH_ALLOW = [f"[::1]:{server.port}"]
    with server:
        assert net.fetch(f"http://[0::1]:{server.port}/", max_bytes=100) == b"picture"
    assert f"\r\nHost: [::1]:{server.port}\r\n".encode() in server.requests[0]


def test_of_several_addresses_the_first_that_answers_is_taken() -> None:
    with serving(says(answer(b"picture")), at="127.0.0.3") as server:
        addresses = Resolver(["127.0.0.2", "127.0.0.3"])
        assert fetch(server.port, resolve=addresses) == b"picture"
    assert addresses.asked == ["start.test"]


def test_an_address_that_hangs_leaves_time_for_the_others() -> None:
    with full() as port, serving(says(answer(b"picture")), at="127.0.0.2", port=port):
        assert fetch(port, seconds=2 * SHORT, resolve=Resolver([LOCAL, "127.0.0.2"])) == b"picture"


def test_calls_side_by_side_do_not_mix() -> None:
    with ExitStack() as stack, ThreadPoolExecutor(16) as pool:
        bodies = [str(number).encode() for number in range(16)]
        servers = [stack.enter_context(serving(says(answer(body)))) for body in bodies]
        assert list(pool.map(fetch, [server.port for server in servers])) == bodies


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
    with serving(leads_to("/again")) as server, pytest.raises(BadAnswer) as refusal:
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
    with serving(leads_to("/my ph\xc3\xb6to")) as server, pytest.raises(BadAnswer):
        fetch(server.port)
    assert server.requests[1].startswith(b"GET /my%20ph%C3%B6to HTTP/1.1")


# --- Names that change their address --------------------------------------------------------------


def test_what_was_checked_is_what_is_connected_to(settings: Settings) -> None:
    """127.0.0.2 stands for a public address. A second question would lead to the sentinel."""
    settings.FACESWAP_FETCH_ALLOW = ["127.0.0.2/32"]
    with (
        serving(says(answer(b"picture")), at="127.0.0.2") as server,
        serving(silent, port=server.port) as sentinel,
    ):
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
        serving(says(*answers), at="127.0.0.2") as server,
        serving(silent, port=server.port) as sentinel,
        pytest.raises(NotAllowed),
    ):
        net.fetch(f"http://rebinding.test:{server.port}/", max_bytes=100, resolve=rebinding)
    assert rebinding.asked == ["rebinding.test"] * 2
    assert (server.seen, sentinel.seen) == (1, 0)


# --- Time -----------------------------------------------------------------------------------------

NEVER_DONE: dict[str, Behaviour] = {
    "reads nothing": silent,
    "says nothing": drips(b"", b"", pause=30),
    "drips the status line": drips(b"HTTP/1.1 200 ", b"O"),
    "drips headers": drips(OK, b"x"),
    "drips header lines": drips(OK, b"x: y\r\n", pause=0.1),
    "goes on with 100 Continue": drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n", pause=0),
    "drips 100 Continue": drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "drips a body with a length": drips(OK + b"Content-Length: 9999\r\n\r\n", b"x"),
    "drips a body without a length": drips(OK + b"\r\n", b"x"),
    "stops within the body": drips(OK + b"Content-Length: 9\r\n\r\nx", b"", pause=30),
    "drips chunks": drips(CHUNKED, b"1\r\nx\r\n"),
    "drips a chunk's size": drips(CHUNKED, b"0"),
    "drips a chunk's extension": drips(CHUNKED + b"1;", b"x"),
    "drips a trailer": drips(CHUNKED + b"0\r\n", b"x: y\r\n"),
    "goes on with trailers": drips(CHUNKED + b"0\r\n", b"x: y\r\n" * 1_000, pause=0),
}


def is_over_in_time(call: Callable[[], object]) -> None:
    begun = time.monotonic()
    with pytest.raises(NotReached, match=r"took more than 0\.3 seconds"):
        call()
    assert time.monotonic() - begun < SLACK


def test_a_server_that_is_never_done_is_left_in_time() -> None:
    def leave(behave: Behaviour) -> None:
        with serving(behave) as server:
            is_over_in_time(partial(fetch, server.port, seconds=SHORT))

    with ThreadPoolExecutor(len(NEVER_DONE)) as pool:  # side by side: each takes its time
        left = {name: pool.submit(leave, behave) for name, behave in NEVER_DONE.items()}
    assert {name: future.exception() for name, future in left.items()} == dict.fromkeys(left)


@pytest.mark.parametrize(
    "behave", [silent, drips(b"", b"\x16"), drips(b"\x16\x03\x03\x40\0", b"x")]
)
def test_a_tls_port_that_never_answers_is_left_in_time(behave: Behaviour) -> None:
    with serving(behave) as server:
        is_over_in_time(partial(fetch, server.port, scheme="https", seconds=SHORT))


def test_a_port_that_never_accepts_is_left_in_time() -> None:
    with full() as port:
        is_over_in_time(partial(fetch, port, seconds=SHORT))


def test_a_resolver_that_hangs_is_left_in_time() -> None:
    done = threading.Event()

    def resolve(_host: str) -> list[str]:
        done.wait(30)
        return [LOCAL]

    is_over_in_time(partial(fetch, 80, seconds=SHORT, resolve=resolve))
    done.set()


def test_redirects_have_one_deadline_together() -> None:
    def behave(peer: Peer) -> None:
        peer.wait(0.6 * SHORT)
        leads_to("/on")(peer)

    with serving(behave) as server:
        is_over_in_time(partial(fetch, server.port, seconds=SHORT))
    assert server.seen <= 2


def test_a_post_that_is_not_taken_is_left_in_time() -> None:
    with serving(silent) as server:
        is_over_in_time(partial(post, server.port, body=bytes(20_000_000), seconds=SHORT))


def test_a_call_without_time_asks_nobody() -> None:
    with serving(says(answer())) as server, pytest.raises(NotReached):
        fetch(server.port, seconds=0)
    assert server.seen == 0


# --- Size -----------------------------------------------------------------------------------------


def test_a_body_may_be_as_large_as_allowed_and_no_larger() -> None:
    without_length = OK + b"\r\n" + bytes(1_000)
    chunked = CHUNKED + b"3e8\r\n" + bytes(1_000) + b"\r\n0\r\n\r\n"
    with serving(says(answer(bytes(1_000)), without_length, chunked)) as server:
        for _ in range(3):
            assert fetch(server.port, max_bytes=1_000) == bytes(1_000)
        for _ in range(3):
            with pytest.raises(TooLarge):
                fetch(server.port, max_bytes=999)
    assert server.seen == 6


def test_a_body_that_announces_too_much_is_not_read() -> None:
    announced = drips(OK + b"Content-Length: 1000000\r\n\r\n", b"", pause=30)
    with serving(announced) as server, pytest.raises(TooLarge):
        fetch(server.port)


@pytest.mark.parametrize(
    ("start", "again"),
    [
        (OK + b"\r\n", bytes(10_000)),
        (CHUNKED, b"2710\r\n" + bytes(10_000) + b"\r\n"),
        (CHUNKED + b"ffffffffffff\r\n", bytes(10_000)),
        (OK + b"Content-Length: 5\r\nContent-Length: 5000000\r\n\r\n", bytes(10_000)),
        (OK + b"Content-Length: -1\r\n\r\n", bytes(10_000)),
        (CHUNKED + b"-1\r\n", bytes(10_000)),
    ],
)
def test_an_endless_body_is_cut_off(start: bytes, again: bytes) -> None:
    begun = time.monotonic()
    with serving(drips(start, again, pause=0)) as server, pytest.raises((TooLarge, NotReached)):
        fetch(server.port, max_bytes=100_000)
    assert time.monotonic() - begun < SLACK


PACKED = {
    "gzip": ("gzip", gzip.compress(b"picture")),
    "in upper case": (" GZip ", gzip.compress(b"picture")),
    "its old name": ("x-gzip", gzip.compress(b"picture")),
    "two members": ("gzip", gzip.compress(b"pic") + gzip.compress(b"ture")),
    "zlib": ("deflate", zlib.compress(b"picture")),
    "bare deflate": ("deflate", zlib.compress(b"picture")[2:-4]),
    "not packed": ("identity", b"picture"),
    "not packed, and packed": ("identity, gzip", gzip.compress(b"picture")),
}


@pytest.mark.parametrize(("encoding", "body"), PACKED.values(), ids=PACKED)
def test_what_a_host_packs_unasked_is_unpacked(encoding: str, body: bytes) -> None:
    head = f"Content-Encoding: {encoding}\r\n"
    with serving(says(answer(body, head=head))) as server:
        assert fetch(server.port, max_bytes=100) == b"picture"
        assert post(server.port).body == b"picture"


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 131_072, 1_000_000])
def test_every_size_is_unpacked(size: int) -> None:
    packed = answer(gzip.compress(bytes(size)), head="Content-Encoding: gzip\r\n")
    with serving(says(packed)) as server:
        assert fetch(server.port, max_bytes=1_000_000) == bytes(size)


def test_a_gzip_bomb_is_unpacked_up_to_the_limit() -> None:
    bomb = gzip.compress(bytes(100_000_000), 1)
    with serving(says(answer(bomb, head="Content-Encoding: gzip\r\n"))) as server:
        tracemalloc.start()
        with pytest.raises(TooLarge):
            fetch(server.port, max_bytes=1_000_000)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert post(server.port).body == bytes(net.EXCERPT_BYTES)
    assert peak < 5_000_000


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "nonsense"])
def test_what_is_packed_in_another_way_is_said_so(encoding: str) -> None:
    packed = answer(b"picture", head=f"Content-Encoding: {encoding}\r\n")
    with serving(says(packed)) as server:
        with pytest.raises(BadAnswer, match="Content-Encoding"):
            fetch(server.port)
        assert post(server.port) == net.Response(status=200, body=b"")


@pytest.mark.parametrize(
    "body", [b"picture", gzip.compress(b"picture")[:-1]], ids=["plain", "cut short"]
)
def test_what_is_not_packed_as_it_says_is_an_error_of_ours(body: bytes) -> None:
    packed = answer(body, head="Content-Encoding: gzip\r\n")
    with serving(says(packed)) as server, pytest.raises(NotReached, match="broke off"):
        fetch(server.port)


# --- Servers that break the rules -----------------------------------------------------------------

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


@pytest.mark.parametrize("said", BROKEN.values(), ids=BROKEN)
def test_a_broken_answer_is_an_error_of_ours(said: bytes) -> None:
    with serving(says(said)) as server, pytest.raises(NotReached, match="broke off"):
        post(server.port)


@pytest.mark.parametrize("said", BROKEN_BODIES.values(), ids=BROKEN_BODIES)
def test_a_picture_that_breaks_off_is_an_error_of_ours(said: bytes) -> None:
    with serving(says(said)) as server, pytest.raises(NotReached, match="broke off"):
        fetch(server.port)


@pytest.mark.parametrize("said", BROKEN_BODIES.values(), ids=BROKEN_BODIES)
def test_a_receiver_that_took_it_has_taken_it_however_its_answer_ends(said: bytes) -> None:
    with serving(says(said)) as server:
        assert post(server.port).status == 200


@pytest.mark.parametrize("said", UNUSABLE.values(), ids=UNUSABLE)
def test_anything_but_a_whole_picture_is_a_bad_answer(said: bytes) -> None:
    with serving(says(said)) as server, pytest.raises(BadAnswer):
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


@given(said=st.binary(max_size=60), start=st.sampled_from([b"", b"HTTP/1.1 ", OK, CHUNKED]))
@hypothesis_settings(max_examples=60)
def test_any_bytes_are_an_answer_or_an_error_of_ours(said: bytes, start: bytes) -> None:
    with serving(says(start + said)) as server, suppress(NetError):
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


# --- A second try ---------------------------------------------------------------------------------


@pytest.mark.parametrize("first", [b"", b"garbage", *(answer(status=s) for s in (502, 503, 504))])
def test_what_may_pass_is_tried_again(first: bytes) -> None:
    with serving(says(first, answer(b"picture"))) as server:
        assert fetch(server.port) == b"picture"
    assert server.seen == 2


def test_it_is_tried_again_only_once() -> None:
    with serving(says(answer(status=503))) as server, pytest.raises(BadAnswer) as refusal:
        fetch(server.port)
    assert refusal.value.status == 503
    assert server.seen == 2


def test_a_host_that_refuses_is_asked_again() -> None:
    resolve = Resolver([LOCAL])
    with socket.socket() as deaf:  # bound, so that the port stays free
        deaf.bind((LOCAL, 0))
        with pytest.raises(NotReached, match="cannot be connected to"):
            fetch(deaf.getsockname()[1], resolve=resolve)
    assert len(resolve.asked) == 2


def test_a_name_that_is_not_found_is_said_so() -> None:
    def resolve(_host: str) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    with pytest.raises(NotReached, match="was not found"):
        fetch(80, resolve=resolve)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 429, 500, 501])
def test_other_statuses_are_final(status: int) -> None:
    with serving(says(answer(b"no", status=status))) as server, pytest.raises(BadAnswer) as refusal:
        fetch(server.port)
    assert refusal.value.status == status
    assert server.seen == 1


def test_no_second_try_after_the_deadline() -> None:
    def behave(peer: Peer) -> None:
        peer.wait(0.8 * SHORT)
        peer.send(answer(status=503))

    with serving(behave) as server, pytest.raises(NetError):
        fetch(server.port, seconds=SHORT)
    assert server.seen == 1


def test_no_pause_outlasts_the_deadline() -> None:
    begun = time.monotonic()
    with Deadline(SHORT) as deadline:
        assert not deadline.sleep(30)
        assert deadline.sleep(0.01)
    assert time.monotonic() - begun < SLACK


# --- TLS ------------------------------------------------------------------------------------------


class Tls:
    """A server's side, with a certificate for start.test."""

    def __init__(self, folder: Path) -> None:
        self.names: list[str | None] = []  # as clients call the server
        self.certificate, self.context = certified(folder, self.names)


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


# --- What the operator allows ---------------------------------------------------------------------


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


# --- Posting --------------------------------------------------------------------------------------


def test_a_post_carries_body_and_headers() -> None:
    with serving(says(answer(b"thanks", status=201))) as server:
        said = post(server.port, body=b'{"a": 1}')
    assert (said.status, said.body) == (201, b"thanks")
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


# --- What is said ---------------------------------------------------------------------------------


def test_neither_messages_nor_logs_tell_secrets(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    odd = answer(b"x", status=404, head="no colon here\r\n")
    failures = []
    with serving(says(odd, b"", b"", odd, answer(status=302, head="Location: //[\r\n"))) as server:
        urls = [f"http://start.test:{server.port}/secret?secret=secret#secret"] * 4
        urls += ["http://alice:secret@start.test/", "http://start.test:99999/?secret", "secret"]
        for url in urls:
            with pytest.raises(NetError) as error:
                net.fetch(url, max_bytes=100, resolve=Resolver([LOCAL]))
            failures.append(error.value)
    assert {type(failure) for failure in failures} == {BadAnswer, NotReached, NotAllowed}
    for failure in failures:
        assert failure.message == str(failure)
        assert "secret" not in failure.message
        assert failure.message[0].isupper()
        assert failure.message.count(". ") == 1, "what is wrong, and what to do"
    assert b"/secret?secret=secret" in server.requests[0]
    assert "Failed to parse headers" in caplog.text
    assert "secret" not in caplog.text
