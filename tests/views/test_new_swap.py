"""The form: what is accepted, what is refused, what is kept."""

import io
import struct
import zlib

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from PIL import Image
from pytest_django import Settings

from swaps import storage
from swaps.lifecycle.uploads import keep_upload
from swaps.models import Quota, Swap, Upload, User
from tests.pictures import file, photo, picture
from tests.swap_rows import finished_swap

pytestmark = pytest.mark.django_db
NEW = "/swaps/new/"


def bomb() -> bytes:
    """A PNG that says it is 100,000 pixels a side."""
    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"0" * 1000)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )


def test_two_photos_and_consent_make_a_swap(as_alice: Client, alice: User) -> None:
    answer = as_alice.post(NEW, {"source_image": file(), "target_image": file(), "consent": "on"})
    assert answer.headers["Location"] == reverse("swaps:detail", args=[Swap.objects.get().pk])
    swap = Swap.objects.visible_to(alice).get()
    assert swap.status == "queued"
    assert storage.read(swap.source_key) != picture()  # re-encoded, never the uploaded bytes
    assert Quota.objects.get_or_grant(alice).spent == 1


def test_the_page_says_how_many_swaps_are_left(as_alice: Client) -> None:
    page = as_alice.get(NEW).content.decode()
    assert f"{settings.FACESWAP_FREE_SWAPS:,}" in page or str(settings.FACESWAP_FREE_SWAPS) in page


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"hello, I am no picture", "not a picture"),
        (b"", "empty"),
        (bomb(), "100,000 × 100,000"),
        (picture()[:300], "damaged"),
    ],
    ids=["text", "empty", "bomb", "truncated"],
)
@pytest.mark.parametrize("bad", ["source", "target"])
def test_a_refused_photo_is_named_and_the_other_is_kept(
    as_alice: Client, alice: User, bad: str, data: bytes, words: str
) -> None:
    good = "target" if bad == "source" else "source"
    names = {"source": "face photo", "target": "target photo"}
    answer = as_alice.post(
        NEW, {f"{bad}_image": file(data), f"{good}_image": file(), "consent": "on"}
    )
    page = answer.content.decode()
    assert answer.status_code == 422
    assert words in page
    assert f"The {names[bad]} cannot be used." in page
    assert not Swap.objects.exists()
    upload = Upload.objects.get(owner=alice)
    assert f'value="{upload.pk}"' in page
    preview = as_alice.get(reverse("swaps:upload", args=[upload.pk]))
    assert preview.getvalue()
    again = as_alice.post(
        NEW,
        {f"{good}_photo": str(upload.pk), f"{bad}_image": file(), "consent": "on"},
    )
    assert again.status_code == 302
    assert Swap.objects.count() == 1


def test_a_photo_over_the_limit_is_refused_by_its_true_size(
    as_alice: Client, settings: Settings
) -> None:
    settings.FACESWAP_MAX_UPLOAD_BYTES = 100_000
    answer = as_alice.post(
        NEW,
        {
            "source_image": file(b"\xff\xd8" + b"0" * 400_000),
            "target_image": file(),
            "consent": "on",
        },
    )
    assert answer.status_code == 422
    assert "0.4 MB" in answer.content.decode() or "0.5 MB" in answer.content.decode()
    assert Upload.objects.count() == 1


def test_an_endless_body_is_refused_before_it_is_read(as_alice: Client, settings: Settings) -> None:
    settings.FACESWAP_MAX_UPLOAD_BYTES = 1000
    answer = as_alice.post(NEW, {"source_image": file(b"0" * 25_000)})
    assert answer.status_code == 413


def test_without_consent_both_photos_are_kept(as_alice: Client) -> None:
    answer = as_alice.post(NEW, {"source_image": file(), "target_image": file()})
    assert answer.status_code == 422
    assert "Please confirm" in answer.content.decode()
    assert Upload.objects.count() == 2


def test_missing_photos_are_named(as_alice: Client) -> None:
    page = as_alice.post(NEW, {"consent": "on"}).content.decode()
    assert "Choose a face photo." in page
    assert "Choose a target photo." in page


def test_a_spent_quota_is_said_and_the_photos_are_kept(as_alice: Client, alice: User) -> None:
    Quota.objects.get_or_grant(alice)
    Quota.objects.filter(user=alice).update(remaining=0)
    answer = as_alice.post(NEW, {"source_image": file(), "target_image": file(), "consent": "on"})
    assert answer.status_code == 422
    assert "used all your swaps" in answer.content.decode()
    assert Upload.objects.count() == 2


def test_swap_again_takes_the_photos_of_an_earlier_swap(as_alice: Client, alice: User) -> None:
    old = finished_swap(alice)
    page = as_alice.get(NEW, {"source": str(old.pk), "target": str(old.pk)}).content.decode()
    assert page.count(f'value="swap.{old.pk}"') == 2
    as_alice.post(
        NEW,
        {"source_photo": f"swap.{old.pk}", "target_photo": f"swap.{old.pk}", "consent": "on"},
    )
    new = Swap.objects.newest_first()[0]
    assert new.pk != old.pk
    assert storage.read(new.source_key) == storage.read(old.source_key)
    assert new.source_key != old.source_key  # deleting one leaves the other whole


def test_a_photo_chosen_anew_wins_over_the_kept_one(as_alice: Client, alice: User) -> None:
    old = finished_swap(alice)
    as_alice.post(
        NEW,
        {
            "source_photo": f"swap.{old.pk}",
            "source_image": file(picture("red", (64, 64))),
            "target_photo": f"swap.{old.pk}",
            "consent": "on",
        },
    )
    new = Swap.objects.newest_first()[0]
    with Image.open(io.BytesIO(storage.read(new.source_key))) as image:
        assert image.size == (64, 64)


def test_a_kept_photo_is_forgotten_once_it_is_used(as_alice: Client, alice: User) -> None:
    upload = keep_upload(alice, photo())
    ref = str(upload.pk)
    as_alice.post(NEW, {"source_photo": ref, "target_photo": ref, "consent": "on"})
    assert Swap.objects.count() == 1
    assert not Upload.objects.exists()


def test_a_kept_photo_whose_file_is_gone_has_to_be_chosen_again(
    as_alice: Client, alice: User
) -> None:
    upload = keep_upload(alice, photo())
    storage.delete([upload.key])
    ref = str(upload.pk)
    answer = as_alice.post(NEW, {"source_photo": ref, "target_image": file(), "consent": "on"})
    assert "Choose a face photo." in answer.content.decode()


def test_a_strange_charset_is_refused(as_alice: Client) -> None:
    kind = "multipart/form-data; boundary=B; charset=hex"
    assert as_alice.generic("POST", NEW, b"--B--", kind).status_code == 400


def test_a_strange_session_cookie_counts_as_none(client: Client) -> None:
    client.cookies["sessionid"] = "\0" * 9
    assert client.get(NEW).status_code == 302


@pytest.mark.parametrize("ref", ["x", "swap.x", "upload.1", ".", "swap.", "a" * 5000])
def test_a_strange_kept_photo_counts_as_none(as_alice: Client, ref: str) -> None:
    answer = as_alice.post(NEW, {"source_photo": ref, "target_image": file(), "consent": "on"})
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("download", "magic"), [("jpeg", b"\xff\xd8"), ("png", b"\x89PNG"), ("webp", b"RIFF")]
)
def test_the_result_can_be_downloaded_in_three_formats(
    as_alice: Client, alice: User, download: str, magic: bytes
) -> None:
    from swaps.provenance import xmp

    swap = finished_swap(alice)
    answer = as_alice.get(reverse("swaps:result", args=[swap.pk]), {"download": download})
    assert answer.content.startswith(magic)
    assert xmp.is_marked(answer.content)
    assert "attachment" in answer.headers["Content-Disposition"]


def test_an_unknown_download_format_is_not_found(as_alice: Client, alice: User) -> None:
    swap = finished_swap(alice)
    url = reverse("swaps:result", args=[swap.pk])
    assert as_alice.get(url, {"download": "tiff"}).status_code == 404
