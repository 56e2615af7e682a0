"""Addresses that are not public: each special network from its first to its last."""

from contextlib import suppress
from ipaddress import AddressValueError, ip_address

import pytest

from swaps.net.addresses import is_public

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
