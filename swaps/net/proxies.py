"""Where a request comes from when proxies pass it on.

Each proxy adds the address it was reached from to the end of ``X-Forwarded-For``. What stands left
of the entry that the first trusted proxy added may be invented, so the header is read from the
right, and only past trusted addresses.
"""

import ipaddress
import re
from collections.abc import Collection, Iterable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MAX_HOPS = 16
MAX_ADDRESS_CHARACTERS = 64
# Nobody's proxies fill more than these, by IP version; content delivery networks have /13 and /29.
MIN_PREFIX_LENGTHS = {4: 8, 6: 16}
WITH_PORT = re.compile(r"\[([^\]]*)\](?::\d*)?|([^:]*):\d*", re.ASCII)


def parse_networks(entries: Iterable[str]) -> tuple[Network, ...]:
    """The networks of a setting; ValueError for an entry that is none."""
    return tuple(_parse_network(entry) for entry in entries)


def is_too_wide(network: Network) -> bool:
    """Whether it holds addresses of strangers: 0.0.0.0/0, or half of it."""
    return not network.is_private and network.prefixlen < MIN_PREFIX_LENGTHS[network.version]


def is_trusted(address: str, trusted: Collection[Network]) -> bool:
    parsed = _parse_address(address)
    return parsed is not None and any(parsed in network for network in trusted)


def client_address(peer: str, forwarded_for: str, trusted: Collection[Network]) -> str:
    """The nearest address that is not a trusted proxy's, or the last one that can be read.

    ``peer`` is who opened the connection. IPv4-mapped addresses become IPv4 ones: limits count
    IPv6 addresses by network, and all mapped ones share one.
    """
    address = _parse_address(peer)
    if address is None:
        return peer
    hops = forwarded_for.rsplit(",", MAX_HOPS)
    while hops and any(address in network for network in trusted):
        before = _parse_address(hops.pop())
        if before is None:
            break
        address = before
    return str(address)


def _parse_network(entry: str) -> Network:
    network = ipaddress.ip_network(entry)
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is None or network.prefixlen < 96:
        return network
    return ipaddress.IPv4Network((int(mapped), network.prefixlen - 96))


def _parse_address(text: str) -> Address | None:
    """As in ``1.2.3.4``, ``1.2.3.4:5678``, ``2001:db8::1`` or ``[2001:db8::1]:443``."""
    text = text.strip()
    if len(text) > MAX_ADDRESS_CHARACTERS:
        return None
    if with_port := WITH_PORT.fullmatch(text):
        text = with_port[1] or with_port[2] or ""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv4Address):
        return address
    return address.ipv4_mapped or ipaddress.IPv6Address(int(address))  # without its zone
