"""Parses URLs, and decides which hosts, ports and addresses may be requested for strangers.

It is pure: no network, no settings. A URL is parsed once, by ``parse_url``, so that exactly what
was checked is requested.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Final
from urllib.parse import quote

from swaps.net.errors import BadUrl
from swaps.net.names import ascii_host

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network

MAX_CHARACTERS: Final = 4_000  # presigned URLs of some stores are long
MAX_PORT: Final = 65_535
DEFAULT_OPEN_PORTS: Final = frozenset({80, 443})
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_EXAMPLE: Final = "Write it like https://example.org/photo.jpg"

# IANA's special-purpose registries, in full: ipaddress.is_private depends on Python's version.
_SPECIAL_V4: Final = (
    IPv4Network("0.0.0.0/8"),  # this network
    IPv4Network("10.0.0.0/8"),  # private
    IPv4Network("100.64.0.0/10"),  # carriers' own
    IPv4Network("127.0.0.0/8"),  # loopback
    IPv4Network("169.254.0.0/16"),  # link-local, metadata of clouds
    IPv4Network("172.16.0.0/12"),  # private
    IPv4Network("192.0.0.0/24"),  # protocols
    IPv4Network("192.0.2.0/24"),  # documentation
    IPv4Network("192.88.99.0/24"),  # 6to4 relays
    IPv4Network("192.168.0.0/16"),  # private
    IPv4Network("198.18.0.0/15"),  # benchmarks
    IPv4Network("198.51.100.0/24"),  # documentation
    IPv4Network("203.0.113.0/24"),  # documentation
    IPv4Network("224.0.0.0/4"),  # multicast
    IPv4Network("240.0.0.0/4"),  # reserved, broadcast
)
# Not in it: loopback, mapped and compatible IPv4, NAT64, unique-local, link-local, multicast.
_GLOBAL_V6: Final = IPv6Network("2000::/3")
_SPECIAL_V6: Final = (
    IPv6Network("2001::/23"),  # protocols: Teredo, benchmarks, ORCHID
    IPv6Network("2001:db8::/32"),  # documentation
    IPv6Network("2002::/16"),  # 6to4: holds an IPv4 address
    IPv6Network("3fff::/20"),  # documentation
)

_LABEL: Final = r"[a-z0-9_-]{1,63}"
_NAME: Final = re.compile(rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_URL: Final = re.compile(r"(?P<scheme>[A-Za-z]+)://(?P<authority>[^/?#]*)(?P<path>[^#]*)")
_AUTHORITY: Final = re.compile(r"(?P<host>\[[^\[\]]*\]|[^:\[\]]+)(:(?P<port>0|[1-9][0-9]{0,4})?)?")
# Those of RFC 3986, and the percent sign: what is encoded already must not be encoded again.
_PATH_CHARACTERS: Final = "/?:@!$&'()*+,;=[]-._~%"

# Names of the loopback interface, by RFC 6761 and by the hosts files of systems.
_LOOPBACK_NAME: Final = re.compile(
    r"(.+\.)?localhost|localhost[46]?(\.localdomain[46]?)?|ip6-(localhost|loopback)"
)
# Names that exist only inside a private network: RFC 6762, RFC 8375, ICANN's .internal, routers.
_INTERNAL_SUFFIXES: Final = (
    ".localhost",
    ".local",
    ".localdomain",
    ".internal",
    ".lan",
    ".home.arpa",
)
_LOOPBACK_ADDRESSES: Final = (IPv4Address("127.0.0.1"), IPv6Address("::1"))


@dataclass(frozen=True, kw_only=True)
class ParsedUrl:
    """The parts of an http(s) URL as they are requested."""

    is_https: bool
    host: str  # ASCII, lower case, no brackets
    address: IPAddress | None  # if the host is one
    port: int
    path: str  # with the query; only characters that no URL may have are encoded


@dataclass(frozen=True, kw_only=True)
class AllowList:
    """The hosts and networks that may be requested besides public addresses at open ports.

    When ``is_exclusive``, nothing else may be requested.
    """

    hosts: frozenset[tuple[str, int | None]]  # None: at every port
    networks: tuple[IPNetwork, ...]
    is_exclusive: bool = False  # nothing else may be requested

    def permits(self, target: ParsedUrl, address: IPAddress) -> bool:
        """Return whether this resolved address may be connected to for this URL."""
        return (
            self._has_host(target)
            or any(address in network for network in self.networks)
            or (self._is_open(target) and is_public(address))
        )

    def may_permit(self, target: ParsedUrl) -> bool:
        """Return False if host and port alone rule the URL out, whatever the name resolves to."""
        return self._has_host(target) or bool(self.networks) or self._is_open(target)

    def may_permit_address(self, target: ParsedUrl) -> bool:
        """Return False if an IP literal, or a name that is never public, rules it out."""
        if target.address:
            return self.permits(target, target.address)
        if _LOOPBACK_NAME.fullmatch(target.host):
            return any(self.permits(target, each) for each in _LOOPBACK_ADDRESSES)
        return not is_internal_name(target.host) or self._has_host(target) or bool(self.networks)

    def _is_open(self, target: ParsedUrl) -> bool:
        return target.port in DEFAULT_OPEN_PORTS and not self.is_exclusive

    def _has_host(self, target: ParsedUrl) -> bool:
        return not self.hosts.isdisjoint({(target.host, None), (target.host, target.port)})


def is_internal_name(host: str) -> bool:
    """Return whether a host name looks like one of this machine or its own network."""
    return "." not in host or host.endswith(_INTERNAL_SUFFIXES)


def is_public(address: IPAddress) -> bool:
    """Return whether an address is global unicast, outside IANA's special-purpose registries."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _SPECIAL_V4)
    return (
        address.scope_id is None
        and address in _GLOBAL_V6
        and not any(address in network for network in _SPECIAL_V6)
    )


def parse_url(url: str) -> ParsedUrl:
    """Parse an http(s) URL; raises ``BadUrl``."""
    if len(url) > MAX_CHARACTERS:
        raise BadUrl("url.length", limit=MAX_CHARACTERS)
    if not url.isprintable() or " " in url or "\\" in url:
        raise BadUrl("url.characters")
    found = _URL.match(url)
    if not found or found["scheme"].lower() not in _DEFAULT_PORTS:
        raise BadUrl("url.scheme", example=_EXAMPLE)
    if "@" in found["authority"]:
        raise BadUrl("url.password")
    scheme = found["scheme"].lower()
    try:
        host, address, port = _read_authority(found["authority"])
        path = quote(found["path"], safe=_PATH_CHARACTERS)
    except ValueError:
        raise BadUrl("url.syntax", example=_EXAMPLE) from None
    return ParsedUrl(
        is_https=scheme == "https",
        host=host,
        address=address,
        port=_DEFAULT_PORTS[scheme] if port is None else port,
        path=path if path.startswith("/") else f"/{path}",
    )


def parse_allow_list(entries: Iterable[str], *, is_exclusive: bool = False) -> AllowList:
    """Parse entries like ``host``, ``host:port`` and ``10.0.0.0/8``.

    Raises ValueError for others.
    """
    hosts: set[tuple[str, int | None]] = set()
    networks: list[IPNetwork] = []
    for entry in entries:
        try:
            if "/" in entry:
                networks.append(ip_network(entry))
            else:
                hosts.add(_read_host_and_port(entry))
        except ValueError:
            raise ValueError(
                f"{entry!r} cannot be understood: write a host, host:port, or a network like "
                "10.0.0.0/8 with only zeros behind its prefix."
            ) from None
    return AllowList(hosts=frozenset(hosts), networks=tuple(networks), is_exclusive=is_exclusive)


def _read_host_and_port(entry: str) -> tuple[str, int | None]:
    if entry.count(":") > 1 and not entry.startswith("["):
        entry = f"[{entry}]"  # an IPv6 address alone
    host, _, port = _read_authority(entry)
    if port == 0 or entry.endswith(":"):
        raise ValueError(entry)
    return host, port


def _read_authority(authority: str) -> tuple[str, IPAddress | None, int | None]:
    """Return host, address if the host is one, and port if there is one; raises ValueError."""
    found = _AUTHORITY.fullmatch(authority)
    if not found:
        raise ValueError(authority)
    host, address = _read_host(found["host"])
    port = int(found["port"]) if found["port"] else None
    if port is not None and port > MAX_PORT:
        raise ValueError(authority)
    return host, address, port


def _read_host(host: str) -> tuple[str, IPAddress | None]:
    """Return the host in ASCII, and its address if it is an IP literal; raises ValueError."""
    host = ascii_host(host).removesuffix(".")
    if host.startswith("["):
        literal = IPv6Address(host[1:-1])
        return str(literal), literal
    if _NUMBER.fullmatch(host.rpartition(".")[2]):  # dotted decimal; 127.1, 0x7f.1 … raise
        return host, IPv4Address(host)
    if not _NAME.fullmatch(host):
        raise ValueError(host)
    return host, None
