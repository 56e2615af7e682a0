"""Every stranger here is a real server on this machine, and every name is resolved by the test.

``start.test`` is on the allow list and stands for the internet; nothing else may be reached.
"""

import gzip
import itertools
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from ipaddress import ip_address
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import Settings

from swaps import net
from swaps.net import BadAnswer, NetError, NotAllowed, NotReached, TooLarge
from swaps.net_addresses import is_public
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
SHORT = 0.4  # seconds that a call gets when it is meant to run out of them
SLACK = 3.0  # seconds after which it is certain that it did not stop in time
QUICK = 1.5


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


def post(port: int, *, body: bytes = b"{}", seconds: float = 5) -> net.Answer:
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
http://127.0.0.1\r\nHost: example.org/
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
    "localhost",
    "LOCALHOST",
    "localhost.",
    "localhost.localdomain",
    "loc%61lhost",
    "127.0.0.1.nip.io",
    "0x7f000001.example.org",
    "intranet",
    "metadata.google.internal",
    "bücher.example",
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
