"""Why a request to another server failed.

NetError
├── NotAllowed   the URL, or what it leads to, may not be asked; permanent
│   └── BadUrl   it is no URL of http or https that can be understood
├── NotReached   no such host, refused, too slow, bad certificate, broken off
├── TooLarge     more bytes than are wanted
└── BadAnswer    a status other than 200, too many redirects, packed in an unknown way

A message says what is wrong and what to do, for people. It names no part of the URL.
"""

from typing import Any

from swaps.messages import ExplainedError


class NetError(ExplainedError):
    """A request to another server that failed; its code is one of ``url.…`` and ``host.…``."""


class NotAllowed(NetError):
    """The URL, or what it leads to, may not be asked: trying again is of no use."""


class BadUrl(NotAllowed, ValueError):
    """A text that is no URL which could be asked."""


class NotReached(NetError):
    """The host gave no whole answer; it may do so later."""


class TooLarge(NetError):
    """The host sends more bytes than are wanted."""


class BadAnswer(NetError):
    """The host answered, but not with what was asked for."""

    def __init__(self, code: str, /, *, status: int, **params: Any) -> None:
        super().__init__(code, status=status, **params)
        self.status = status
