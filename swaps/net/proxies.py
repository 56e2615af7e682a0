"""Finds the client's address in ``X-Forwarded-For``, behind proxies that are trusted.

Each proxy appends the address that it was reached from. Entries left of the one that the first
trusted proxy added may be forged, so the header is read from the right, past trusted ones only.
"""

import ipaddress
import re
from collections.abc import Collection, Iterable

from swaps.net.addresses import IPAddress, IPNetwork

MAX_HOPS = 16
MAX_ADDRESS_CHARACTERS = 64
# No operator's proxies need wider networks, by IP version; CDNs have /13 and /29.
MIN_PREFIX_LENGTHS = {4: 8, 6: 16}
WITH_PORT = re.compile(r"\[([^\]]*)\](?::\d*)?|([^:]*):\d*", re.ASCII)


def parse_networks(entries: Iterable[str]) -> tuple[IPNetwork, ...]:
    """Parse the networks of a setting; raises ValueError for an entry that is none."""
    return tuple(_parse_network(entry) for entry in entries)


def is_too_wide(network: IPNetwork) -> bool:
    """Return whether a trusted network would hold strangers, like 0.0.0.0/0 or half of it."""
    return not network.is_private and network.prefixlen < MIN_PREFIX_LENGTHS[network.version]


def is_trusted(address: str, trusted: Collection[IPNetwork]) -> bool:
    """Return whether an address belongs to a trusted proxy."""
    parsed = _parse_address(address)
    return parsed is not None and any(parsed in network for network in trusted)


def client_address(peer: str, forwarded_for: str, trusted: Collection[IPNetwork]) -> str:
    """Return the nearest address that is not a trusted proxy's, or the last that can be parsed.

    ``peer`` is who opened the connection. IPv4-mapped addresses become IPv4 ones: rate limits count
    IPv6 addresses by network, and all mapped ones share a network.
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


def _parse_network(entry: str) -> IPNetwork:
    network = ipaddress.ip_network(entry)
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is None or network.prefixlen < 96:
        return network
    return ipaddress.IPv4Network((int(mapped), network.prefixlen - 96))


def _parse_address(text: str) -> IPAddress | None:
    """Parse ``1.2.3.4``, ``1.2.3.4:5678``, ``2001:db8::1`` or ``[2001:db8::1]:443``.

    None if neither.
    """
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
