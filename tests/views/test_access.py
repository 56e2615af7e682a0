"""Who sees what: the owner, a stranger, somebody signed out, staff."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from swaps import storage
from swaps.lifecycle.uploads import keep_upload
from swaps.models import Swap, User
from tests.pictures import photo
from tests.swap_rows import finished_swap

pytestmark = pytest.mark.django_db


def urls_of(swap: Swap) -> list[str]:
    return [
        reverse("swaps:detail", args=[swap.pk]),
        reverse("swaps:card", args=[swap.pk]),
        reverse("swaps:result", args=[swap.pk]),
        reverse("swaps:result", args=[swap.pk]) + "?download=png",
        *(reverse("swaps:photo", args=[swap.pk, kind]) for kind in ("source", "target")),
        *(reverse("swaps:thumb", args=[swap.pk, kind]) for kind in ("source", "target", "result")),
    ]


def test_the_owner_sees_everything(as_alice: Client, alice: User) -> None:
    for url in urls_of(finished_swap(alice)):
        answer = as_alice.get(url)
        assert answer.getvalue()
        assert answer.status_code == 200, url
        assert set(answer.headers["Cache-Control"].split(", ")) == {"private", "no-cache"}


def test_a_stranger_gets_404_for_pages_fragments_and_pictures(
    as_charlie: Client, alice: User
) -> None:
    swap = finished_swap(alice)
    for url in urls_of(swap):
        assert as_charlie.get(url).status_code == 404, url
    assert as_charlie.post(reverse("swaps:delete", args=[swap.pk])).status_code == 404
    assert Swap.objects.visible_to(alice).exists()


def test_staff_are_strangers_outside_the_admin(as_staff: Client, alice: User) -> None:
    for url in urls_of(finished_swap(alice)):
        assert as_staff.get(url).status_code == 404, url


def test_somebody_signed_out_is_led_to_the_sign_in(client: Client, alice: User) -> None:
    for url in urls_of(finished_swap(alice)):
        answer = client.get(url)
        assert answer.status_code == 302, url
        assert answer.headers["Location"].startswith("/accounts/login/?next=")


def test_a_stranger_cannot_take_a_photo_by_swap_again(as_charlie: Client, alice: User) -> None:
    swap = finished_swap(alice)
    page = as_charlie.get(reverse("swaps:new"), {"source": str(swap.pk)}).content.decode()
    assert str(swap.pk) not in page
    answer = as_charlie.post(
        reverse("swaps:new"),
        {"source_photo": f"swap.{swap.pk}", "target_photo": f"swap.{swap.pk}", "consent": "on"},
    )
    assert answer.status_code == 422
    assert not Swap.objects.filter(owner__email="charlie@example.com").exists()


def test_a_strangers_kept_upload_is_not_found(as_charlie: Client, alice: User) -> None:
    upload = keep_upload(alice, photo())
    assert as_charlie.get(reverse("swaps:upload", args=[upload.pk])).status_code == 404


def test_a_hidden_swap_is_gone_for_its_owner(as_alice: Client, alice: User) -> None:
    swap = finished_swap(alice)
    Swap.objects.filter(pk=swap.pk).update(is_hidden=True)
    for url in urls_of(swap):
        assert as_alice.get(url).status_code == 404, url
    assert str(swap.pk) not in as_alice.get(reverse("swaps:history")).content.decode()


def test_a_blocked_account_is_signed_out_at_once(as_alice: Client, alice: User) -> None:
    assert as_alice.get(reverse("swaps:history")).status_code == 200
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert as_alice.get(reverse("swaps:history")).status_code == 302


def test_deleting_removes_pages_and_pictures(as_alice: Client, alice: User) -> None:
    swap = finished_swap(alice)
    answer = as_alice.post(reverse("swaps:delete", args=[swap.pk]), follow=True)
    assert "Deleted" in answer.content.decode()
    for url in urls_of(swap):
        assert as_alice.get(url).status_code == 404, url


def test_deleting_needs_a_post(as_alice: Client, alice: User) -> None:
    assert as_alice.get(reverse("swaps:delete", args=[finished_swap(alice).pk])).status_code == 405


def test_a_signed_file_url_works_without_a_session(client: Client, alice: User) -> None:
    swap = finished_swap(alice)
    url = storage.presigned_url(swap.result_key, 60)
    path = re.sub(r"^https?://[^/]+", "", url)
    answer = client.get(path)
    assert b"".join(answer.streaming_content) == storage.read(swap.result_key)  # type: ignore[attr-defined]
    assert client.get(path[:-3] + "xx/").status_code == 404


@pytest.mark.parametrize(
    "path", ["/swaps/1/", "/swaps/new/x", "/files/x/", "/nowhere", "/swaps/%00/"]
)
def test_unknown_addresses_are_not_found(as_alice: Client, path: str) -> None:
    assert as_alice.get(path).status_code == 404


def test_pages_forbid_everything_from_elsewhere(client: Client) -> None:
    policy = client.get("/").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
