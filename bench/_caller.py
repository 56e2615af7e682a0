"""An account that may call the API as often as it wants, and its calls."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bench._load import Request

if TYPE_CHECKING:
    from swaps.models import User

PLENTY = 10_000_000
ENVIRONMENT = {"FACESWAP_API_CALLS_PER_MINUTE": str(PLENTY)}


def caller_with_plenty() -> tuple["User", str]:
    """The account, and the token of its key."""
    from swaps.models import ApiKey, Door, Grant, User

    owner = User.objects.create_user("caller@example.com")
    Grant.objects.give(owner, Door.API, PLENTY, reason="benchmark")
    return owner, ApiKey.objects.issue(owner)[1]


def swap_call(port: int, token: str, urls: Sequence[str], **more: object) -> Request:
    """``POST /face/swap`` of these two pictures."""
    source, target = urls
    body = {"source_image_url": source, "target_image_url": target, **more}
    return Request(
        port=port,
        path="/face/swap",
        method="POST",
        headers={"authorization": f"Bearer {token}", "content-type": "application/json"},
        body=json.dumps(body).encode(),
    )


def samples(port: int) -> tuple[str, str]:
    """URLs of pictures that the site has already."""
    folder = f"http://127.0.0.1:{port}/samples"
    return f"{folder}/1-face.jpg", f"{folder}/1-photo.jpg"
