"""What a call of the API asks for: its pictures by name, and which face goes onto which.

The bodies are those that were sent, or those that rows keep: there ``data:`` URLs are cut short,
and two that look the same may differ.
"""

from typing import Any

from swaps.lifecycle.inputs import Input
from swaps.models.swap_pairs import Pair, Point, one_pair
from swaps.net import data_urls

CHOICES = ("source_face", "target_face", "target_faces", "pairs")


def pictures(body: dict[str, Any]) -> dict[str, Input]:
    """Return the pictures of a call by the names that ``Swap.input_keys`` has for them."""
    first, *more = _sources(body)[0]
    target = Input(field="target_image_url", url=body["target_image_url"], image="target")
    numbered = {f"source-{number}": source for number, source in enumerate(more, 1)}
    return {"source": first, "target": target, **numbered}


def pairs(body: dict[str, Any]) -> list[Pair]:
    """Return which face goes onto which; an empty list when the call chooses none."""
    if not body.get("pairs"):
        target = body.get("target_faces") or _point(body.get("target_face"))
        return one_pair(_point(body.get("source_face")), target)
    return [
        Pair(
            source=number,
            source_face=_point(pair.get("source_face")),
            target_face=_point(pair["target_face"]),
        )
        for pair, number in zip(body["pairs"], _sources(body)[1], strict=True)
    ]


def _sources(body: dict[str, Any]) -> tuple[list[Input], list[int]]:
    """Return the source pictures, each once, and for each pair the number of its own."""
    found: list[Input] = []
    numbers = []
    for index, pair in enumerate(body.get("pairs") or [{}]):
        own = pair.get("source_image_url")
        field = f"pairs.{index}.source_image_url" if own else "source_image_url"
        source = Input(field=field, url=own or body["source_image_url"], image="source")
        number = next((n for n, known in enumerate(found) if _is_same(known, source)), len(found))
        if number == len(found):
            found.append(source)
        numbers.append(number)
    return found, numbers


def _is_same(one: Input, other: Input) -> bool:
    return one.field == other.field or (one.url == other.url and not data_urls.is_data_url(one.url))


def _point(point: dict[str, float] | None) -> Point | None:
    return None if point is None else [point["x"], point["y"]]
