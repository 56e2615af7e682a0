"""Share links: who makes them, what they show, and when they end."""

import datetime
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as site_settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from swaps import storage
from swaps.clock.retention import delete_expired_forms
from swaps.lifecycle.remove import remove_swap
from swaps.lifecycle.share import share_result
from swaps.models import ShareLink, Swap, User
from swaps.provenance.xmp import is_marked
from swaps.redaction import hide_secrets
from tests.swap_rows import finished_swap, later, queued_swap

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)


def share(client: Client, swap: Swap, **fields: Any) -> Any:
    return client.post(reverse("swaps:share", args=[swap.pk]), fields or {"days": "7"})


def shared_link(swap: Swap, life: datetime.timedelta = DAY) -> ShareLink:
    link = share_result(swap, life, timezone.now())
    assert link
    return link


def urls_of(link: ShareLink) -> list[str]:
    return [reverse(name, args=[link.token]) for name in ("swaps:shared", "swaps:shared_picture")]


def statuses(client: Client, link: ShareLink) -> list[int]:
    return [client.head(url).status_code for url in urls_of(link)]


def test_there_is_no_link_until_its_owner_asks(as_alice: Client, alice: User) -> None:
    swap = finished_swap(alice)
    page = as_alice.get(reverse("swaps:detail", args=[swap.pk])).content.decode()
    assert "Make a link" in page
    assert "/s/" not in page
    assert not ShareLink.objects.exists()


@pytest.mark.parametrize("days", [1, 7, 30])
def test_a_link_works_for_the_days_that_were_chosen(
    as_alice: Client, client: Client, alice: User, days: int
) -> None:
    swap = finished_swap(alice)
    answer = share(as_alice, swap, days=days)
    assert answer.headers["Location"].endswith("#share")
    link = ShareLink.objects.get()
    left = link.expires_at - timezone.now()
    assert datetime.timedelta(0) < days * DAY - left < datetime.timedelta(minutes=1)
    page = as_alice.get(reverse("swaps:detail", args=[swap.pk])).content.decode()
    assert f"{site_settings.SITE_URL}/s/{link.token}/" in page
    assert statuses(client, link) == [200, 200]


def test_a_new_link_takes_the_place_of_the_old_one(
    as_alice: Client, client: Client, alice: User
) -> None:
    swap = finished_swap(alice)
    old = shared_link(swap)
    share(as_alice, swap, days="1")
    new = ShareLink.objects.get()
    assert (statuses(client, old), statuses(client, new)) == ([404, 404], [200, 200])


def test_the_page_shows_the_picture_and_nothing_else_of_the_swap(
    client: Client, alice: User
) -> None:
    swap = finished_swap(alice)
    swap.rename("Annas secret")
    link = shared_link(swap)
    answer = client.get(urls_of(link)[0])
    page = answer.content.decode()
    for secret in (str(swap.pk), alice.email, "Annas secret", "source", "target"):
        assert secret not in page
    assert "made with AI" in page
    assert reverse("swaps:home") in page
    picture = client.get(urls_of(link)[1])
    assert is_marked(picture.getvalue())
    assert str(swap.pk) not in str(picture.headers)


def test_a_large_picture_is_shared_as_its_preview(client: Client, alice: User) -> None:
    swap = finished_swap(alice)
    link = shared_link(swap)
    storage.put_copies(swap.result_key, {1600: b"the preview"})
    assert client.get(urls_of(link)[1]).getvalue() == b"the preview"


def test_other_programs_find_title_picture_and_that_it_is_not_to_be_indexed(
    client: Client, alice: User
) -> None:
    link = shared_link(finished_swap(alice))
    page = client.get(urls_of(link)[0])
    told = dict(re.findall(r'<meta (?:property|name)="([^"]+)" content="([^"]+)"', page.text))
    picture = told["og:image"].removeprefix(site_settings.SITE_URL)
    assert told["og:url"] == f"{site_settings.SITE_URL}{urls_of(link)[0]}"
    assert client.head(picture).status_code == 200
    assert "AI" in told["og:title"]
    assert "AI" in told["og:description"]
    assert "noindex" in told["robots"]
    for url in urls_of(link):
        assert "noindex" in client.head(url).headers["X-Robots-Tag"]


def revoke(link: ShareLink, as_alice: Client) -> None:
    share(as_alice, link.swap, revoke=link.pk)


def expire(link: ShareLink, _: Client) -> None:
    ShareLink.objects.filter(pk=link.pk).update(expires_at=timezone.now())


def remove(link: ShareLink, _: Client) -> None:
    remove_swap(link.swap)


def hide(link: ShareLink, _: Client) -> None:
    Swap.objects.filter(pk=link.swap_id).update(is_hidden=True)


@pytest.mark.parametrize("end", [revoke, expire, remove, hide])
def test_a_link_that_has_ended_says_so_kindly(
    as_alice: Client, client: Client, alice: User, end: Callable[[ShareLink, Client], None]
) -> None:
    link = shared_link(finished_swap(alice))
    assert statuses(client, link) == [200, 200]
    end(link, as_alice)
    assert statuses(client, link) == [404, 404]
    page = client.get(urls_of(link)[0])
    assert "This link has ended" in page.text
    assert "noindex" in page.headers["X-Robots-Tag"]


def test_a_link_that_never_was_looks_like_one_that_has_ended(client: Client, alice: User) -> None:
    link = shared_link(finished_swap(alice))
    ShareLink.objects.all().revoke(timezone.now())
    ended = client.get(urls_of(link)[0])
    never = client.get(reverse("swaps:shared", args=["x" * 22]))
    assert (ended.status_code, ended.content) == (never.status_code, never.content)


def test_no_cache_keeps_a_picture_longer_than_its_link(client: Client, alice: User) -> None:
    link = shared_link(finished_swap(alice), datetime.timedelta(seconds=90))
    page, picture = (client.head(url).headers["Cache-Control"] for url in urls_of(link))
    assert "no-cache" in page
    assert "private" in page
    assert "private" in picture
    age = re.search(r"max-age=(\d+)", picture)
    assert age
    assert 80 <= int(age[1]) <= 90


def test_the_token_stays_out_of_logs_and_referers(client: Client, alice: User) -> None:
    link = shared_link(finished_swap(alice))
    for url in urls_of(link):
        assert link.token not in hide_secrets(f"Not Found: {url}")
        assert client.head(url).headers["Referrer-Policy"] == "strict-origin"


@pytest.mark.parametrize("fields", [{"days": "2"}, {"days": ""}, {"revoke": "x"}])
def test_other_wishes_are_refused(as_alice: Client, alice: User, fields: dict[str, str]) -> None:
    assert share(as_alice, finished_swap(alice), **fields).status_code == 400
    assert not ShareLink.objects.exists()


def test_only_its_owner_shares_a_finished_swap_or_ends_its_link(
    as_alice: Client, as_charlie: Client, client: Client, alice: User, charlie: User
) -> None:
    swap, waiting = finished_swap(alice), queued_swap(alice)
    link = shared_link(swap)
    assert share(as_alice, waiting).status_code == 404
    assert share(as_charlie, swap).status_code == 404
    assert share(as_charlie, swap, revoke=link.pk).status_code == 404
    assert share(as_charlie, finished_swap(charlie), revoke=link.pk).status_code == 302
    assert share(client, swap).status_code == 302
    assert list(ShareLink.objects.open(timezone.now())) == [link]


def test_htmx_gets_the_panel_alone(as_alice: Client, alice: User) -> None:
    url = reverse("swaps:share", args=[finished_swap(alice).pk])
    made = as_alice.post(url, {"days": "1"}, headers={"hx-request": "true"}).text
    link = ShareLink.objects.get()
    ended = as_alice.post(url, {"revoke": link.pk}, headers={"hx-request": "true"}).text
    assert link.token in made
    assert "The link has ended." in ended
    assert "<html" not in made + ended


def test_rows_go_some_time_after_their_links(alice: User) -> None:
    links = [shared_link(finished_swap(alice), days * DAY) for days in (1, 30)]
    delete_expired_forms(later(30 * 86400))
    assert set(ShareLink.objects.all()) == set(links)
    delete_expired_forms(later(32 * 86400))
    assert set(ShareLink.objects.all()) == {links[1]}


def test_a_link_ends_while_its_owner_is_blocked(client: Client, alice: User) -> None:
    link = shared_link(finished_swap(alice))
    assert statuses(client, link)[0] == 200
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert 200 not in statuses(client, link)
