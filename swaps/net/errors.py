"""The errors of requests to other servers.

NetError
├── NotAllowed    the URL, or what it leads to, may not be requested; permanent
│   └── BadUrl    it is no http or https URL that can be parsed
├── NotReached    no such host, refused, too slow, bad certificate, connection lost
├── TooLarge      the body has more bytes than allowed
└── BadResponse   a status other than 200, too many redirects, an unknown encoding

A message tells people what is wrong and what to do. It names no part of the URL.
"""

from typing import Any

from swaps.messages import ExplainedError


class NetError(ExplainedError):
    """A request to another server failed; the code is one of ``url.…`` and ``host.…``."""


class NotAllowed(NetError):
    """The URL, or the address that it leads to, may not be requested: a retry is pointless."""


class BadUrl(NotAllowed, ValueError):
    """The text is no http or https URL that can be parsed."""


class NotReached(NetError):
    """No complete response came; it may come later."""


class TooLarge(NetError):
    """The body has more bytes than the caller allows."""


class BadResponse(NetError):
    """The response has a status other than 200, too many redirects or an unknown encoding."""

    def __init__(self, code: str, /, *, status: int, **params: Any) -> None:
        super().__init__(code, status=status, **params)
        self.status = status
