"""What browsers keep of pages, and how pages travel."""

import gzip
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from swaps.models import User
from swaps.views.picture_urls import picture_url
from tests.swap_rows import finished_swap, queued_swap

pytestmark = pytest.mark.django_db

PAGES = ["swaps:history", "swaps:new"]
SECRET_PAGES = ["swaps:keys", "swaps:deliveries"]


def get(client: Client, url: str) -> HttpResponse:
    """Ask as a browser does that takes compressed answers."""
    answer: HttpResponse = client.get(url, headers={"Accept-Encoding": "gzip, deflate, br"})  # type: ignore[assignment]
    return answer


def is_compressed(answer: HttpResponse) -> bool:
    return answer.headers.get("Content-Encoding") == "gzip"


@pytest.mark.parametrize("name", PAGES)
def test_pages_are_kept_for_back_and_forward_and_asked_for_again(
    as_alice: Client, name: str
) -> None:
    answer = get(as_alice, reverse(name))
    assert set(answer.headers["Cache-Control"].split(", ")) == {"private", "no-cache"}
    assert "Cookie" in answer.headers["Vary"]


@pytest.mark.parametrize("name", SECRET_PAGES)
def test_pages_with_secrets_are_never_stored_nor_compressed(as_alice: Client, name: str) -> None:
    as_alice.post(reverse("swaps:acquire"))
    answer = get(as_alice, reverse(name))
    assert "no-store" in answer.headers["Cache-Control"]
    assert not is_compressed(answer)


def test_pages_are_compressed_with_padding_of_a_random_length(
    as_alice: Client, alice: User
) -> None:
    swap = finished_swap(alice)
    for url in (reverse("swaps:history"), reverse("swaps:detail", args=[swap.pk]), "/docs/api/"):
        plain = as_alice.get(url)
        answers = [get(as_alice, url) for _ in range(8)]
        assert not is_compressed(plain)  # type: ignore[arg-type]
        assert all(is_compressed(answer) for answer in answers)
        assert "Accept-Encoding" in answers[0].headers["Vary"]
        assert str(swap.pk) in gzip.decompress(answers[0].content).decode() or "docs" in url
        lengths = {len(answer.content) for answer in answers}
        assert len(lengths) > 1
        assert max(lengths) < len(plain.content) / 2


def test_fragments_are_compressed_and_answers_without_a_body_are_not(
    as_alice: Client, alice: User
) -> None:
    swap = finished_swap(alice)
    assert is_compressed(get(as_alice, reverse("swaps:card", args=[swap.pk])))
    queued_swap(alice)
    poll: Any = as_alice.get(reverse("swaps:history")).context["poll"]
    nothing_new = get(as_alice, poll.url)
    assert (nothing_new.status_code, nothing_new.content) == (204, b"")
    assert not is_compressed(nothing_new)


def test_pictures_archives_and_the_api_travel_as_they_are(as_alice: Client, alice: User) -> None:
    swap = finished_swap(alice)
    urls = [picture_url(swap, "result", side) for side in (None, 640)]
    urls += [f"{reverse('swaps:selected_zip')}?ids={swap.pk}", "/face/openapi.json", "/healthz"]
    for url in urls:
        answer = get(as_alice, url)
        assert answer.status_code in {200, 503}, url
        assert not is_compressed(answer), url
        assert answer.getvalue()


def test_signing_out_lets_the_browser_forget_what_it_keeps(as_alice: Client) -> None:
    url = reverse("account_logout")
    assert "Clear-Site-Data" not in as_alice.get(url).headers
    assert as_alice.post(url).headers["Clear-Site-Data"] == '"cache"'


def test_a_page_names_the_account_that_it_is_for(as_alice: Client, alice: User) -> None:
    assert f'data-account="{alice.pk}"' in as_alice.get(reverse("swaps:history")).content.decode()
    assert 'data-account=""' in Client().get("/").content.decode()
