"""A hosted provider's error codes, and the error of ours that each becomes.

What the provider wrote is never shown: it may be in any language, and name URLs or accounts.
"""

import re
from collections.abc import Callable
from typing import Final

from django.conf import settings

from swaps import errors

# What is wrong lies between the provider and the operator: its key, its account, its address.
OPERATORS_CODES: Final = frozenset(
    {
        "api_not_implemented",
        "disabled",
        "invalid_token",
        "method_not_allowed",
        "no_api",
        "no_token",
        "token_expired",
        "token_mismatched",
        "used_up",
    }
)
BUSY_CODES: Final = frozenset({"too_many_requests", "rate_limited"})
# For an answer that says no more than its status.
CODES_OF_STATUS: Final = {
    301: "no_api",
    302: "no_api",
    303: "no_api",
    307: "no_api",
    308: "no_api",
    401: "invalid_token",
    402: "used_up",
    403: "disabled",
    404: "no_api",
    405: "method_not_allowed",
    407: "invalid_token",
    413: "payload_too_large",
}

_NAMED: Final = re.compile(r"(?<![a-z])(source|target)(?![a-z])", re.IGNORECASE)


def to_swap_error(code: str, message: str) -> errors.SwapError:
    """Return our error for a provider's. Its message only tells which picture is meant."""
    if code in OPERATORS_CODES:
        return errors.ApiError("provider_closed")
    if code in BUSY_CODES:
        return errors.ApiError("provider_busy")
    make = _OTHERS.get(code)
    return make(_named_image(message)) if make else errors.ApiError("provider_failed")


def _named_image(message: str) -> errors.ImageName:
    """Return which picture a message names; empty for none or both."""
    names = {name.lower() for name in _NAMED.findall(message)}
    if len(names) != 1:
        return ""
    is_source = (names == {"source"}) != settings.FACESWAP_HOSTED_EXCHANGE
    return "source" if is_source else "target"


_OTHERS: Final[dict[str, Callable[[errors.ImageName], errors.SwapError]]] = {
    "no_face": lambda image: errors.NoFace(image or "either", image=image),
    "invalid_image": lambda image: errors.InvalidImage(
        f"provider_{image or 'either'}", image=image
    ),
    "payload_too_large": lambda _: errors.InvalidImage("provider_size"),
    "forbidden": lambda image: errors.Forbidden("provider", image=image),
    "timeout": lambda _: errors.Timeout("provider"),
}
