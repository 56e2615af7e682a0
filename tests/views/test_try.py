"""Trying without an account: samples or own photos, a few a day, and nobody else's things."""

import re
from pathlib import Path

import pytest
from django.conf import settings as site_settings
from django.test import Client
from django.urls import reverse
from django.utils.timezone import localtime
from PIL import Image
from pytest_django import Settings

from swaps import errors, images, storage
from swaps.lifecycle.remove import remove_swap
from swaps.lifecycle.settle import settle
from swaps.models import AccountStorage, GuestCount, Quota, Swap, Upload, User
from swaps.views.samples import BY_PLACE
from tests.pictures import file, picture
from tests.swap_rows import finished

pytestmark = pytest.mark.django_db
TRY, SIGN_UP = "/try/", "/accounts/signup/"
SAMPLES = {"source_sample": "face-2", "target_sample": "photo-3", "consent": "on"}
OTHER_ADDRESS = "203.0.113.9"


def tried(client: Client, address: str = "127.0.0.1") -> Swap:
    """Try the samples, and return the swap to whose page it leads."""
    answer = client.post(TRY, SAMPLES, REMOTE_ADDR=address)
    swap = Swap.objects.latest("created_at")
    assert answer.headers["Location"] == reverse("swaps:detail", args=[swap.pk])
    return swap


def counts() -> list[int]:
    return sorted(GuestCount.objects.values_list("count", flat=True))


def test_samples_are_swapped_without_an_account_and_kept_for_an_hour(client: Client) -> None:
    swap = tried(client)
    assert swap.owner.is_guest
    assert swap.expires_at is not None
    assert swap.consented_at is not None
    assert (swap.expires_at - swap.consented_at).total_seconds() == 3600
    assert not Quota.objects.exists()
    assert counts() == [1, 1]
    with Image.open(BY_PLACE["source"][1].path) as sample:
        assert images.dimensions(storage.read(swap.source_key)) == sample.size


def test_the_page_of_a_guests_picture_offers_to_keep_it_and_no_library(client: Client) -> None:
    swap = tried(client)
    assert swap.claim()
    settle(swap, finished())
    url = reverse("swaps:detail", args=[swap.pk])
    page = client.get(url).text
    for action in ("signup", "login"):
        assert f'href="/accounts/{action}/?next={url}"' in page
    assert f'<time datetime="{localtime(swap.expires_at).isoformat()}' in page
    assert '<meta name="robots" content="noindex">' in page
    assert "?download=jpeg" in page
    assert f'href="{TRY}?target={swap.pk}"' in page
    for absent in ("history", "new", "star", "rename", "share", "looks_wrong", "updates"):
        needs_swap = absent in {"star", "rename", "share", "looks_wrong"}
        assert f'"{reverse(f"swaps:{absent}", args=[swap.pk] if needs_swap else [])}"' not in page


def test_own_photos_win_over_samples(client: Client) -> None:
    client.post(TRY, {**SAMPLES, "source_image": file(), "target_image": file()})
    swap = Swap.objects.get()
    for key in (swap.source_key, swap.target_key):
        assert images.dimensions(storage.read(key)) == images.dimensions(picture())


def test_an_own_face_goes_into_a_sample(client: Client) -> None:
    form = {"target_sample": "photo-1", "source_image": file(), "consent": "on"}
    assert client.post(TRY, form).status_code == 302
    assert Swap.objects.get().has_pictures


def test_nothing_chosen_is_named(client: Client) -> None:
    page = client.post(TRY, {"consent": "on", "source_sample": "face-99"})
    assert page.status_code == 422
    assert "Choose a face photo." in page.text
    assert "Choose a target photo." in page.text
    assert not Swap.objects.exists()
    assert counts() == []


def test_without_consent_an_own_photo_is_kept_for_the_next_try(client: Client) -> None:
    form = {"target_sample": "photo-1", "source_image": file()}
    page = client.post(TRY, form)
    assert page.status_code == 422
    assert "Please confirm" in page.text
    [kept] = re.findall(r'name="source_photo" value="([\w-]+)"', page.text)
    again = client.post(TRY, {"target_sample": "photo-1", "source_photo": kept, "consent": "on"})
    assert again.status_code == 302
    assert not Upload.objects.exists()


def test_a_refused_photo_is_named(client: Client) -> None:
    page = client.post(TRY, {**SAMPLES, "source_image": file(data=b"I am no picture")})
    assert page.status_code == 422
    assert "not a picture" in page.text


def test_nobody_elses_photos_can_be_taken(client: Client, alice: User) -> None:
    other = Client()
    theirs = tried(other)
    tried(client)
    ref = f"swap.{theirs.pk}"
    assert str(theirs.pk) not in client.get(TRY, {"source": str(theirs.pk)}).text
    page = client.post(TRY, {"source_photo": ref, "target_photo": ref, "consent": "on"})
    assert page.status_code == 422


def test_the_photo_of_an_earlier_try_is_taken_again(client: Client) -> None:
    swap = tried(client)
    page = client.get(TRY, {"target": str(swap.pk)}).text
    assert f'name="target_photo" value="swap.{swap.pk}"' in page
    form = {"source_sample": "face-1", "target_photo": f"swap.{swap.pk}", "consent": "on"}
    assert client.post(TRY, form).status_code == 302


def test_what_is_used_up_is_said_before_the_upload_with_the_way_on(client: Client) -> None:
    assert "3 of 3 left today" in client.get(TRY).text
    for _ in range(3):
        tried(client)
    page = client.get(TRY)
    assert page.status_code == 200
    assert "today’s 3 tries" in page.text
    assert SIGN_UP in page.text
    assert "<form" not in page.text
    used = AccountStorage.objects.get().size
    assert client.post(TRY, SAMPLES).status_code == 403
    assert Swap.objects.count() == 3
    assert AccountStorage.objects.get().size == used


def test_dropping_cookies_does_not_reset_the_count_of_the_address(client: Client) -> None:
    for _ in range(3):
        tried(Client())
    assert client.post(TRY, SAMPLES).status_code == 403
    assert not User.objects.filter(is_guest=True)[3:].exists()  # not even a row
    tried(client, OTHER_ADDRESS)


def test_another_address_does_not_reset_the_count_of_the_browser(client: Client) -> None:
    for number in range(3):
        tried(client, f"203.0.113.{number}")
    assert client.post(TRY, SAMPLES, REMOTE_ADDR=OTHER_ADDRESS).status_code == 403


def test_ipv6_counts_by_its_network(client: Client) -> None:
    for number in range(3):
        tried(Client(), f"2001:db8:1:2::{number}")
    assert client.post(TRY, SAMPLES, REMOTE_ADDR="2001:db8:1:2:ffff::1").status_code == 403
    tried(client, "2001:db8:1:3::1")


def test_a_name_of_a_count_is_no_address(client: Client) -> None:
    tried(client, OTHER_ADDRESS)
    names = list(GuestCount.objects.values_list("who", flat=True))
    assert all(re.fullmatch("[0-9a-f]{64}", name) for name in names)
    assert len(set(names)) == 2


def test_a_failed_swap_is_given_back_to_both_counts_once(client: Client) -> None:
    swap = tried(client)
    tried(client)
    for _ in range(2):
        settle(swap, errors.NoFace("source", image="source"))
        swap.refresh_from_db()
    remove_swap(swap)
    assert counts() == [1, 1]
    assert not Quota.objects.exists()


def test_an_unfinished_swap_that_is_deleted_is_given_back(client: Client) -> None:
    swap = tried(client)
    answer = client.post(reverse("swaps:delete", args=[swap.pk]))
    assert answer.headers["Location"] == TRY
    assert counts() == [0, 0]


def test_a_finished_swap_that_is_deleted_stays_counted(client: Client) -> None:
    swap = tried(client)
    assert swap.claim()
    settle(swap, finished())
    client.post(reverse("swaps:delete", args=[swap.pk]))
    assert counts() == [1, 1]


def test_a_form_sent_twice_makes_one_swap(client: Client) -> None:
    [token] = re.findall(r'name="form_token" value="([^"]+)"', client.get(TRY).text)
    answers = [client.post(TRY, {**SAMPLES, "form_token": token}) for _ in range(2)]
    assert {answer.headers["Location"] for answer in answers} == {
        reverse("swaps:detail", args=[Swap.objects.get().pk])
    }
    assert counts() == [1, 1]


def test_forms_are_limited_by_address_before_photos_are_opened(client: Client) -> None:
    for _ in range(10):
        assert Client().post(TRY, {"source_image": file(data=b"no")}).status_code == 422
    rows = User.objects.count()
    page = client.post(TRY, SAMPLES)
    assert page.status_code == 429
    assert page.headers["Retry-After"] == "60"
    assert User.objects.count() == rows


def test_a_form_needs_its_token() -> None:
    assert Client(enforce_csrf_checks=True).post(TRY, SAMPLES).status_code == 403
    assert not Swap.objects.exists()


def test_looking_at_the_page_makes_no_guest(client: Client) -> None:
    client.get(TRY)
    client.get(TRY)
    assert not User.objects.exists()


def test_0_turns_it_off(client: Client, settings: Settings) -> None:
    assert f'href="{TRY}"' in client.get("/").text
    settings.FACESWAP_GUEST_SWAPS = 0
    assert client.get(TRY).headers["Location"] == SIGN_UP
    assert client.post(TRY, SAMPLES).headers["Location"] == SIGN_UP
    home = client.get("/").text
    assert f'href="{TRY}"' not in home
    assert "Make an account" in home


def test_whoever_is_signed_in_is_led_to_new_swap(as_alice: Client) -> None:
    assert as_alice.get(TRY).headers["Location"] == reverse("swaps:new")


def test_samples_are_small_and_so_is_the_page(client: Client) -> None:
    page = client.get(TRY)
    pictures = [sample for samples in BY_PLACE.values() for sample in samples]
    assert len(pictures) == 12
    for sample in pictures:
        with Image.open(sample.path) as image:
            assert max(image.size) <= 1000
        assert sample.path.stat().st_size <= 120_000
    static = Path(site_settings.BASE_DIR) / "static"
    named = set(re.findall(r'(?:src|href)="/static/([^"]+)"', page.text))
    names = {re.sub(r"\.[0-9a-f]{12}(\.\w+)$", r"\1", name) for name in named}
    assert {f"img/samples/{sample.name}.webp" for sample in pictures} <= names
    assert len(page.content) + sum((static / name).stat().st_size for name in names) <= 300_000


def test_the_last_try_of_a_day_sent_once_more_leads_to_its_picture(
    client: Client, settings: Settings
) -> None:
    settings.FACESWAP_GUEST_SWAPS = 1
    form = {**SAMPLES, "form_token": "a-token-of-this-form"}
    first, again = (client.post(TRY, form) for _ in range(2))
    assert first["Location"] == again["Location"]
    assert Swap.objects.count() == 1
