"""URLs that lead inside are refused, in every spelling, and nothing is connected to."""

from collections.abc import Callable

import pytest
from pytest_django import Settings

from swaps import net
from swaps.net import NotAllowed, NotReached
from tests.net.strangers import LOCAL, PUBLIC, SHORT, Resolver, Sentinels

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
