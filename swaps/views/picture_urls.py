"""URLs of a swap's pictures, each with the version of what it shows; template tags for them.

A browser may keep what such a URL shows for as long as it likes: ``pictures`` says so, and
docs/architecture.md why that is right.
"""

from typing import Final
from urllib.parse import urlencode

from django import template
from django.urls import reverse
from django.utils.crypto import salted_hmac

from swaps.models import Swap
from swaps.models.swap_files import PictureKind

VERSION_LENGTH: Final = 16

register = template.Library()


def version(key: str) -> str:
    """Return the version of a picture. What is stored under an object key never changes.

    It cannot be guessed: whoever finds the address of a page in a browser's history does not know
    the URLs under which its pictures are kept.
    """
    return salted_hmac("swaps.picture", key).hexdigest()[:VERSION_LENGTH]


@register.simple_tag
def picture_url(swap: Swap, kind: PictureKind, side: int | None = None) -> str:
    """Return the URL of a swap's picture, or of its small copy with this longer side."""
    if side:
        return _copy_urls(swap, kind, side)[0]
    query = {"v": version(swap.key(kind))}
    if kind == "result":
        return f"{reverse('swaps:result', args=[swap.pk])}?{urlencode(query)}"
    return f"{reverse('swaps:photo', args=[swap.pk, kind])}?{urlencode(query)}"


@register.simple_tag
def srcset(swap: Swap, kind: PictureKind, *sides: int) -> str:
    """Return the ``srcset`` of a swap's picture: its small copies, each with its width."""
    urls = zip(sides, _copy_urls(swap, kind, *sides), strict=True)
    return ", ".join(f"{url} {_copy_width(swap, kind, side)}w" for side, url in urls)


def _copy_urls(swap: Swap, kind: PictureKind, *sides: int) -> list[str]:
    """Return the URLs of small copies of one picture; to find their path takes longest."""
    path, v = reverse("swaps:thumb", args=[swap.pk, kind]), version(swap.key(kind))
    return [f"{path}?size={side}&v={v}" for side in sides]


def _copy_width(swap: Swap, kind: PictureKind, side: int) -> int:
    """Return the width of a small copy; of a source, whose size no row knows, as if square."""
    if kind == "source" or not (swap.width and swap.height):
        return side
    return max(1, round(swap.width * min(1, side / max(swap.width, swap.height))))
