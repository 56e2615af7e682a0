"""What a provider is: it performs swaps. Frozen words, no Django.

The embedded one answers with what is ``Finished``; a hosted one with ``Accepted``, or ``Answered``
at once. Each raises a ``swaps.errors.SwapError`` when a swap cannot be done, and the hosted one:

ProviderTrouble
├── NotNow       nothing was started; it may be asked again later
└── AnswerLost   it may have been started: no answer that can be read came back
"""

from dataclasses import dataclass

_CHOOSE = "in which eyes, nose and mouth can be seen, sharp and not too small."
# For people, by the picture in which none was found; "" where that is not known.
NO_FACE = {
    "source": f"No face was found in the face photo. Choose one {_CHOOSE}",
    "target": f"No face was found in the target photo. Choose one {_CHOOSE}",
    "": f"No face was found in one of the two photos. Choose photos {_CHOOSE}",
}


@dataclass(frozen=True, kw_only=True)
class SwapRequest:
    """For who has our storage at hand: object keys of the two pictures."""

    source_key: str
    target_key: str


@dataclass(frozen=True, kw_only=True)
class RemoteRequest:
    """For who has not: URLs of the two pictures, and where to report.

    Sent again as it is, with the same idempotency key, it is the same request.
    """

    source_image_url: str
    target_image_url: str
    callback_url: str
    idempotency_key: str


@dataclass(frozen=True, kw_only=True)
class Finished:
    """The result, encoded and marked as made by AI, with its thumbnail."""

    data: bytes
    thumbnail: bytes
    extension: str
    width: int
    height: int
    warnings: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """It is being worked on; the provider reports later."""

    task_id: str


@dataclass(frozen=True, kw_only=True)
class Answered:
    """It is done; the picture is to be fetched from there."""

    task_id: str
    image_url: str


class ProviderTrouble(Exception):
    """``problem`` is for staff and the log; it carries no secret."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


class NotNow(ProviderTrouble):
    """``is_busy``: it answers, and wants fewer calls. Otherwise it is down.

    ``retry_after`` is in seconds; None where the provider did not say.
    """

    def __init__(
        self, problem: str, *, is_busy: bool = False, retry_after: float | None = None
    ) -> None:
        super().__init__(problem)
        self.is_busy = is_busy
        self.retry_after = retry_after


class AnswerLost(ProviderTrouble):
    pass
