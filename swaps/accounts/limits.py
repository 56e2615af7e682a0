"""How often something may be tried or asked, by whom.

Passwords are tried against an account from an address: five wrong ones lock that account for that
address, so nobody locks out an owner who is elsewhere. A limit on all addresses together meets who
tries from many; those from which somebody has signed in to the account before are not counted.
"""

import ipaddress

from allauth.account.adapter import get_adapter
from allauth.core.internal import ratelimit
from allauth.core.internal.ratelimit import RateLimitUsage
from django.core.cache import cache
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from swaps.accounts import possession
from swaps.models import User

RATES = {
    "wrong_from_address": "5/5m/key",
    "wrong_from_anywhere": "50/h/key",
    # To addresses without an account, asked for from one range of addresses.
    "mail_to_stranger": "10/h/key",
}
KNOWN_SECONDS = 90 * 24 * 3600  # for so long an address is remembered


def take_attempt(request: HttpRequest, login: str) -> RateLimitUsage | None:
    """Count one try of a password; None when there have been enough.

    Of a right one it is rolled back.
    """
    of_address = ratelimit.consume(request, app="allauth.account", action="login_failed")
    if of_address is None:
        return None
    user = possession.account_of(login)
    login = user.email if user else login.lower()  # an account may have several addresses
    from_address = _consume(request, "wrong_from_address", _pair(request, login))
    if from_address is None:
        return None
    if user and cache.get(_known_key(request, user)):
        return RateLimitUsage([*of_address.usage, *from_address.usage])
    from_anywhere = _consume(request, "wrong_from_anywhere", login)
    if from_anywhere is None:
        return None
    return RateLimitUsage([*of_address.usage, *from_address.usage, *from_anywhere.usage])


def forgive(request: HttpRequest, login: str) -> None:
    """The password was reset by mail: whoever did so may sign in."""
    _clear(request, "wrong_from_address", _pair(request, login.lower()))
    _clear(request, "wrong_from_anywhere", login.lower())


def remember(request: HttpRequest, user: User) -> None:
    """Somebody signed in from here."""
    cache.set(_known_key(request, user), 1, KNOWN_SECONDS)


def may_write_to_stranger(request: HttpRequest) -> bool:
    """Count one mail to an address that has no account; False when there have been enough."""
    client_range = address_range(get_adapter().get_client_ip(request))
    return _consume(request, "mail_to_stranger", client_range) is not None


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


def _pair(request: HttpRequest, login: str) -> str:
    return f"{login} {ratelimit.get_ip(request)}"


def _known_key(request: HttpRequest, user: User) -> str:
    """Of an account and an address, readable for nobody; another one once all access has ended."""
    value = f"{user.pk} {user.access_ended_at} {ratelimit.get_ip(request)}"
    return f"known:{salted_hmac('swaps.accounts.limits', value).hexdigest()}"


def _consume(request: HttpRequest, action: str, key: str) -> RateLimitUsage | None:
    usage: RateLimitUsage | None = ratelimit.consume(
        request, app="swaps.accounts", action=action, config=RATES, key=key
    )
    return usage


def _clear(request: HttpRequest, action: str, key: str) -> None:
    ratelimit.clear(request, app="swaps.accounts", action=action, config=RATES, key=key)
