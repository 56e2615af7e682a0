"""Converts international host names to ASCII (IDNA 2008), as DNS and HTTP headers need them."""

import re
from typing import Final

import idna

# Scheme and host of a URL. What has a user name in it, or an IPv6 address, is left alone.
_HOST: Final = re.compile(
    r"(?P<start>[A-Za-z][A-Za-z0-9+.-]*://)(?P<host>[^/?#@:\[\]\\]+)(?=[:/?#]|$)"
)


def ascii_host(host: str) -> str:
    """Return the host name in lower case and ASCII; raises ValueError if it has no such form.

    UTS 46 maps upper case and wide letters first; IDNA 2008 then rejects symbols and emoji.
    """
    return host.lower() if host.isascii() else idna.encode(host, uts46=True).decode()


def ascii_url(url: str) -> str:
    """Return the URL with scheme and host in lower case and ASCII.

    Raises ValueError like ``ascii_host``.
    """
    found = _HOST.match(url)
    if not found:
        return url
    return f"{found['start'].lower()}{ascii_host(found['host'])}{url[found.end() :]}"
