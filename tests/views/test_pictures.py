"""A swap's pictures: in sizes, and kept by the browser of whom they belong to."""

import html
import re
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.template import Context, Template
from django.test import Client
from django.urls import reverse

from swaps import images, storage
from swaps.models import Swap, User
from swaps.models.swap_files import PictureKind
from swaps.sizes import SIDES
from swaps.views.picture_urls import picture_url
from tests.pictures import quarters, reopened
from tests.swap_rows import finished_swap

pytestmark = pytest.mark.django_db

KINDS: tuple[PictureKind, ...] = ("source", "target", "result")


@pytest.fixture
def swap(alice: User) -> Swap:
    """Return a finished swap whose result is 2000 pixels wide."""
    swap = finished_swap(alice)
    picture = quarters((2000, 1500))
    copies = images.small_copies(picture)
    storage.put_picture(swap.result_key, images.encode(picture, "jpeg"), copies)
    Swap.objects.filter(pk=swap.pk).update(width=2000, height=1500)
    swap.refresh_from_db()
    return swap


def get(client: Client, url: str, etag: str = "") -> tuple[Any, bytes]:
    """Return the answer at a URL, and its body, which is read to its end."""
    answer: Any = client.get(url, headers={"If-None-Match": etag} if etag else {})
    return answer, answer.getvalue()


def caching(answer: Any) -> set[str]:
    return set(answer.headers["Cache-Control"].split(", "))


def side_shown(client: Client, url: str) -> int:
    """Return the longer side of the picture at a URL."""
    answer, body = get(client, url)
    assert answer.status_code == 200, url
    return max(reopened(body).size)


def test_a_picture_comes_in_the_size_that_is_asked_for(as_alice: Client, swap: Swap) -> None:
    sides = {side: side_shown(as_alice, picture_url(swap, "result", side)) for side in SIDES}
    assert sides == {side: side for side in SIDES}
    assert side_shown(as_alice, picture_url(swap, "result")) == 2000
    without_size = reverse("swaps:thumb", args=[swap.pk, "result"])
    assert side_shown(as_alice, without_size) == 640
    for wrong in ("0", "641", "full", "-1", "１６０"):
        assert as_alice.get(without_size, {"size": wrong}).status_code == 404


def test_the_next_larger_copy_stands_in_for_one_that_is_missing(
    as_alice: Client, swap: Swap
) -> None:
    """Swaps of earlier versions have a copy of 640 pixels only."""
    default_storage.delete(storage.copy_key(swap.result_key, 160))
    default_storage.delete(storage.copy_key(swap.result_key, 1600))
    sides = {side: side_shown(as_alice, picture_url(swap, "result", side)) for side in SIDES}
    assert sides == {160: 640, 640: 640, 1600: 2000}
    storage.delete([swap.result_key])
    for side in SIDES:
        assert as_alice.get(picture_url(swap, "result", side)).status_code == 404


def test_with_its_version_a_picture_is_never_asked_for_again(as_alice: Client, swap: Swap) -> None:
    for kind in KINDS:
        for side in (None, *SIDES):
            answer, _ = get(as_alice, picture_url(swap, kind, side))
            assert caching(answer) == {"private", "immutable", "max-age=31536000"}
            assert "Cookie" in answer.headers["Vary"]  # not for the next one who signs in here


@pytest.mark.parametrize("query", ["", "?v=", "?v=0123456789abcdef"])
def test_without_its_version_it_is_asked_whether_it_has_changed(
    as_alice: Client, swap: Swap, query: str
) -> None:
    for name, args in (("result", []), ("thumb", ["result"]), ("photo", ["source"])):
        url = reverse(f"swaps:{name}", args=[swap.pk, *args]) + query
        first, _ = get(as_alice, url)
        assert caching(first) == {"private", "no-cache"}
        again, body = get(as_alice, url, first.headers["ETag"])
        assert (again.status_code, body) == (304, b"")
        assert caching(again) == caching(first)


def test_what_a_browser_has_of_another_picture_is_not_taken_for_it(
    as_alice: Client, alice: User, swap: Swap
) -> None:
    urls = [picture_url(swap, kind, side) for kind in KINDS for side in (None, *SIDES)]
    urls += [picture_url(finished_swap(alice), "result")]
    tags = [get(as_alice, url)[0].headers["ETag"] for url in urls]
    assert len(set(tags)) == len(urls)
    assert get(as_alice, urls[0], tags[1])[0].status_code == 200


def test_a_picture_is_gone_with_its_swap_whatever_the_browser_kept(
    as_alice: Client, as_charlie: Client, swap: Swap
) -> None:
    url = picture_url(swap, "result", 640)
    tag = get(as_alice, url)[0].headers["ETag"]
    assert get(as_charlie, url, tag)[0].status_code == 404
    assert get(Client(), url, tag)[0].status_code == 302
    as_alice.post(reverse("swaps:delete", args=[swap.pk]))
    answer, _ = get(as_alice, url, tag)
    assert (answer.status_code, caching(answer)) == (404, {"private"})


def test_a_version_is_told_by_no_address_of_a_page(as_alice: Client, swap: Swap) -> None:
    version = re.findall(r"[?&]v=(\w{16})$", picture_url(swap, "result"))[0]
    assert version not in reverse("swaps:detail", args=[swap.pk])
    assert version != picture_url(swap, "source")[-16:]


def test_srcset_names_the_width_of_each_copy(swap: Swap) -> None:
    def widths(kind: str) -> list[str]:
        tags = Template(f"{{% load pictures %}}{{% srcset swap '{kind}' 160 640 1600 %}}")
        text = html.unescape(tags.render(Context({"swap": swap})))
        return [part.split(" ")[1] for part in text.split(", ")]

    assert widths("result") == ["160w", "640w", "1600w"]
    swap.width, swap.height = 750, 1000
    assert widths("result") == ["120w", "480w", "750w"]
    assert widths("source") == ["160w", "640w", "1600w"]


def test_the_history_shows_small_copies_under_their_versions(as_alice: Client, swap: Swap) -> None:
    page = html.unescape(as_alice.get(reverse("swaps:history")).content.decode())
    assert f'src="{picture_url(swap, "result", 640)}"' in page
    assert f"{picture_url(swap, 'result', 160)} 160w" in page
    assert f'src="{picture_url(swap, "source", 160)}"' in page
