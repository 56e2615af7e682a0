"""How often something may be tried or asked, by whom."""

import ipaddress

from allauth.account.adapter import get_adapter
from allauth.core.internal import ratelimit
from django.http import HttpRequest

# To addresses without an account, asked for from one range of addresses.
MAILS_TO_STRANGERS = "10/h/key"


def may_write_to_stranger(request: HttpRequest) -> bool:
    """Count one mail to an address that has no account; False when there have been enough."""
    usage = ratelimit.consume(
        request,
        app="swaps.accounts",
        action="mail_to_stranger",
        config={"mail_to_stranger": MAILS_TO_STRANGERS},
        key=address_range(get_adapter().get_client_ip(request)),
    )
    return usage is not None


def address_range(address: str) -> str:
    """What one customer of a network usually has: a /24 of IPv4, a /48 of IPv6."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    length = 24 if found.version == 4 else 48
    return str(ipaddress.ip_network(f"{found}/{length}", strict=False))
