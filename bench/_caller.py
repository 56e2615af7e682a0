"""Creates an API account without limits, and its requests."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bench._load import Request

if TYPE_CHECKING:
    from swaps.models import User

UNLIMITED = 10_000_000
ENVIRONMENT = {"FACESWAP_API_CALLS_PER_MINUTE": str(UNLIMITED)}


def unlimited_account() -> tuple["User", str]:
    """Create an account with a huge quota; return it with the token of its API key."""
    from swaps.models import ApiKey, Door, Grant, User

    owner = User.objects.create_user("caller@example.com")
    Grant.objects.give(owner, Door.API, UNLIMITED, reason="benchmark")
    return owner, ApiKey.objects.issue(owner)[1]


def swap_call(port: int, token: str, urls: Sequence[str], **more: object) -> Request:
    """Return the request ``POST /face/swap`` for these two URLs."""
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
    """Return the URLs of a source and a target that the site ships."""
    folder = f"http://127.0.0.1:{port}/samples"
    return f"{folder}/1-face.jpg", f"{folder}/1-photo.jpg"
