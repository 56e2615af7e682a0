"""The interface of providers, who perform swaps: requests, results and errors.

The embedded provider returns ``Finished``. A hosted one returns ``Accepted``, or ``Answered`` when
its result is ready at once. Both raise a ``swaps.errors.SwapError`` when a swap cannot be done, and
the hosted one also:

ProviderError
├── RetryLater     nothing was started; it may be asked again later
└── ResponseLost   it may have been started, but no readable response came
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from swaps.messages import ExplainedError
from swaps.models.swap_pairs import Pair


@dataclass(frozen=True, kw_only=True)
class SwapRequest:
    """A request to a provider that can read our storage: object keys of all pictures.

    Without ``pairs`` the largest face of the first source goes onto the largest of the target.
    """

    source_keys: tuple[str, ...]
    target_key: str
    pairs: tuple[Pair, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RemoteRequest:
    """A request to a provider elsewhere: URLs of both pictures and of our callback.

    Sent again with the same idempotency key, it counts as the same request.
    """

    source_image_url: str
    target_image_url: str
    callback_url: str
    idempotency_key: str


@dataclass(frozen=True, kw_only=True)
class Finished:
    """The result, encoded and marked as made by AI, with its small copies by longer side."""

    data: bytes
    copies: Mapping[int, bytes]
    extension: str
    width: int
    height: int
    warnings: tuple[str, ...]
    score: float | None = None


@dataclass(frozen=True, kw_only=True)
class Seen:
    """The size of a picture in pixels, and its faces as JSON (`faces.as_json`), largest first."""

    width: int
    height: int
    faces: list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """The provider has started the task, and will report to the callback URL."""

    task_id: str


@dataclass(frozen=True, kw_only=True)
class Answered:
    """The provider has finished the task, and the result can be fetched from ``image_url``."""

    task_id: str
    image_url: str


class ProviderError(ExplainedError):
    """The provider could not be used. The message is for staff and the log, and holds no secret."""


class RetryLater(ProviderError):
    """The provider started nothing and may be asked again, after ``retry_after`` seconds if given.

    ``is_busy``: it is up and wants fewer calls; otherwise it is down.
    """

    def __init__(
        self,
        code: str,
        /,
        *,
        is_busy: bool = False,
        retry_after: float | None = None,
        **params: Any,
    ) -> None:
        super().__init__(code, **params)
        self.is_busy = is_busy
        self.retry_after = retry_after


class ResponseLost(ProviderError):
    """The request was sent, but no readable response came: the swap may have been started."""
