"""Limits on attempts: wrong passwords, and mails to addresses without an account.

Passwords are tried against an account from an address: five wrong ones lock that account for that
address, so nobody locks out an owner who is elsewhere. A limit on all addresses together stops
attempts from many; addresses from which somebody has signed in to the account before do not count
there.
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
    # Forms with photos that guests send from one address, whatever became of their cookies.
    "guest_form": "10/m/key,60/h/key",
}
KNOWN_SECONDS = 90 * 24 * 3600  # for so long an address is remembered


def count_attempt(request: HttpRequest, login: str) -> RateLimitUsage | None:
    """Count an attempt to sign in; return None when there were too many.

    The usage that it returns is rolled back when the password is right.
    """
    of_address = ratelimit.consume(request, app="allauth.account", action="login_failed")
    if of_address is None:
        return None
    user = possession.find_account(login)
    login = user.email if user else login.lower()  # an account may have several addresses
    from_address = _consume(request, "wrong_from_address", _login_and_ip(request, login))
    if from_address is None:
        return None
    if user and cache.get(_known_address_key(request, user)):
        return RateLimitUsage([*of_address.usage, *from_address.usage])
    from_anywhere = _consume(request, "wrong_from_anywhere", login)
    if from_anywhere is None:
        return None
    return RateLimitUsage([*of_address.usage, *from_address.usage, *from_anywhere.usage])


def clear_attempts(request: HttpRequest, login: str) -> None:
    """Clear the counted attempts on an account whose password was reset by mail."""
    _clear(request, "wrong_from_address", _login_and_ip(request, login.lower()))
    _clear(request, "wrong_from_anywhere", login.lower())


def remember_address(request: HttpRequest, user: User) -> None:
    """Remember that somebody signed in to this account from this address."""
    cache.set(_known_address_key(request, user), 1, KNOWN_SECONDS)


def count_mail_to_stranger(request: HttpRequest) -> bool:
    """Count a mail to an address without an account; return False when there were too many."""
    client_range = address_range(get_adapter().get_client_ip(request))
    return _consume(request, "mail_to_stranger", client_range) is not None


def count_guest_form(request: HttpRequest) -> bool:
    """Count a form of a guest by its address; return False when there were too many."""
    return _consume(request, "guest_form", client_network(request)) is not None


def client_network(request: HttpRequest) -> str:
    """Return the client's address; of IPv6 the /64, in which a browser takes many."""
    return str(ratelimit.get_ip(request))


def address_range(address: str) -> str:
    """Return the network that one customer usually has: a /24 of IPv4, a /48 of IPv6."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    length = 24 if found.version == 4 else 48
    return str(ipaddress.ip_network(f"{found}/{length}", strict=False))


def _login_and_ip(request: HttpRequest, login: str) -> str:
    return f"{login} {ratelimit.get_ip(request)}"


def _known_address_key(request: HttpRequest, user: User) -> str:
    """Return the cache key of account and address, unreadable; it changes when all access ends."""
    value = f"{user.pk} {user.access_ended_at} {ratelimit.get_ip(request)}"
    return f"known:{salted_hmac('swaps.accounts.limits', value).hexdigest()}"


def _consume(request: HttpRequest, action: str, key: str) -> RateLimitUsage | None:
    usage: RateLimitUsage | None = ratelimit.consume(
        request, app="swaps.accounts", action=action, config=RATES, key=key
    )
    return usage


def _clear(request: HttpRequest, action: str, key: str) -> None:
    ratelimit.clear(request, app="swaps.accounts", action=action, config=RATES, key=key)
