"""Host names as DNS and HTTP headers have them: international ones in ASCII (IDNA 2008)."""

import re
from typing import Final

import idna

# Scheme and host of a URL. What has a user name in it, or an IPv6 address, is left alone.
_HOST: Final = re.compile(
    r"(?P<start>[A-Za-z][A-Za-z0-9+.-]*://)(?P<host>[^/?#@:\[\]\\]+)(?=[:/?#]|$)"
)


def ascii_host(host: str) -> str:
    """In lower case and ASCII, as browsers ask for it. ValueError if there is no such form.

    UTS 46 maps upper case and wide letters first; IDNA 2008 then refuses symbols and emoji.
    """
    return host.lower() if host.isascii() else idna.encode(host, uts46=True).decode()


def ascii_url(url: str) -> str:
    """The same URL with its scheme and host in lower case and ASCII. ValueError as above."""
    found = _HOST.match(url)
    if not found:
        return url
    return f"{found['start'].lower()}{ascii_host(found['host'])}{url[found.end() :]}"
