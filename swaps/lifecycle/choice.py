"""What a call of the API asks for: its pictures by name, and which face goes onto which."""

from typing import Any

from swaps.lifecycle.inputs import Input


def pictures(body: dict[str, Any]) -> dict[str, Input]:
    """Return the pictures of a call by the names of their files: ``source`` and ``target``."""
    return {
        "source": Input(field="source_image_url", url=body["source_image_url"], image="source"),
        "target": Input(field="target_image_url", url=body["target_image_url"], image="target"),
    }
