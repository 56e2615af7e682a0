"""Batches: their form, their page, and what can be done with them."""

import io
import re
import zipfile
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from swaps import errors
from swaps.lifecycle.batch import request_batch
from swaps.lifecycle.settle import settle
from swaps.lifecycle.uploads import keep_upload
from swaps.models import Batch, Quota, Swap, Upload, User
from tests.pictures import file, photo
from tests.swap_rows import finished, finished_swap
from tests.views.polling import HTMX

pytestmark = pytest.mark.django_db
NEW = "/batches/new/"


def send(client: Client, **fields: Any) -> Any:
    return client.post(NEW, {"consent": "on", "form_token": "once", **fields})


def sent_ahead(owner: User, count: int) -> list[str]:
    return [str(keep_upload(owner, photo("navy")).pk) for _ in range(count)]


def requested(owner: User, count: int) -> Batch:
    keys = [keep_upload(owner, photo("navy")).key for _ in range(count)]
    return request_batch(owner, photo("tan"), keys).batch


def end(swap: Swap, error: errors.SwapError | None = None) -> None:
    assert swap.claim()
    settle(swap, error or finished())


def leave(owner: User, count: int) -> None:
    Quota.objects.get_or_grant(owner)
    Quota.objects.filter(user=owner).update(remaining=count)


# --- The form -------------------------------------------------------------------------------------


def test_one_face_and_three_files_make_three_swaps(as_alice: Client, alice: User) -> None:
    files = [file(), file(), file()]
    answer = send(as_alice, source_image=file(), target_images=files, name="Wedding")
    batch = Batch.objects.get(owner=alice)
    assert answer["Location"] == reverse("swaps:batch", args=[batch.pk])
    assert (batch.name, batch.swaps.count()) == ("Wedding", 3)
    assert all(swap.consented_at for swap in batch.swaps.all())
    assert not Upload.objects.exists()


def test_photos_that_were_sent_ahead_are_named(
    as_alice: Client, alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    [source, *photos] = sent_ahead(alice, 4)
    answer = send(as_alice, source_photo=source, photo=photos, source_face="0.25,0.5")
    assert answer.status_code == 302
    swaps = Batch.objects.get(owner=alice).swaps.all()
    assert [swap.pairs[0]["source_face"] for swap in swaps] == [[0.25, 0.5]] * 3


def test_photos_of_earlier_swaps_can_be_used_again(as_alice: Client, alice: User) -> None:
    old = finished_swap(alice)
    query = {"source_photo": f"swap.{old.pk}.source", "photo": [f"swap.{old.pk}.target"]}
    page = as_alice.get(NEW, query).content.decode()
    assert f'value="swap.{old.pk}.source"' in page
    assert f'value="swap.{old.pk}.target"' in page
    assert send(as_alice, **query).status_code == 302
    assert Swap.objects.count() == 2


def test_a_bad_photo_is_named_and_the_others_wait(as_alice: Client, alice: User) -> None:
    files = [file(), file(b"hello, I am no picture", "notes.jpg"), file()]
    answer = send(as_alice, source_image=file(), target_images=files)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "“notes.jpg” cannot be used. It is not a picture" in page
    assert "The other photos are kept." in page
    assert not Swap.objects.exists()
    kept = re.findall(r'name="photo" value="([0-9a-f-]{36})"', page)
    source = re.findall(r'name="source_photo" value="([0-9a-f-]{36})"', page)
    assert (len(kept), len(source)) == (2, 1)
    assert send(as_alice, source_photo=source[0], photo=kept).status_code == 302
    assert Swap.objects.count() == 2


def test_without_consent_face_or_photos_nothing_is_lost(as_alice: Client, alice: User) -> None:
    answer = as_alice.post(NEW, {"target_images": [file()]})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Choose a face photo." in page
    assert "Please confirm that you may use these pictures." in page
    assert Upload.objects.count() == 1
    assert "Choose at least one photo" in send(as_alice, source_image=file()).content.decode()


def test_more_than_the_most_are_counted_and_left_out(
    as_alice: Client, alice: User, settings: Settings
) -> None:
    settings.FACESWAP_MAX_BATCH = 2
    answer = send(as_alice, source_image=file(), target_images=[file() for _ in range(4)])
    assert answer.status_code == 422
    assert "2 photos fit into one batch: 2 photos are left out." in answer.content.decode()
    assert Upload.objects.count() == 3  # the face and two photos


def test_strangers_photos_and_nonsense_are_no_longer_here(
    as_charlie: Client, alice: User, charlie: User
) -> None:
    [mine] = sent_ahead(charlie, 1)
    answer = send(as_charlie, source_photo=mine, photo=[*sent_ahead(alice, 1), "x", mine])
    assert "2 photos are no longer here." in answer.content.decode()
    assert not Swap.objects.exists()


def test_too_few_swaps_are_said_before_and_start_nothing(as_alice: Client, alice: User) -> None:
    leave(alice, 1)
    page = as_alice.get(NEW).content.decode()
    assert "You have 1 swap left, so choose 1 photo at most." in page
    [source, *photos] = sent_ahead(alice, 3)
    answer = send(as_alice, source_photo=source, photo=photos)
    assert answer.status_code == 422
    assert "That takes 2 swaps, and you have 1 left" in answer.content.decode()
    assert Quota.objects.remaining_of(alice) == 1
    assert Upload.objects.count() == 3
    leave(alice, 0)
    assert "You have used all your swaps." in as_alice.get(NEW).content.decode()


def test_a_double_click_makes_one_batch(as_alice: Client, alice: User) -> None:
    [source, *photos] = sent_ahead(alice, 3)
    first = send(as_alice, source_photo=source, photo=photos)
    second = send(as_alice, source_photo=source, photo=photos)
    assert first["Location"] == second["Location"]
    assert Swap.objects.count() == 2


def test_forms_are_counted_and_kept_photos_stay(
    as_alice: Client, alice: User, settings: Settings
) -> None:
    [source, target] = sent_ahead(alice, 2)
    settings.FACESWAP_FORMS_PER_MINUTE = 1
    send(as_alice)
    answer = send(as_alice, source_photo=source, photo=[target], name="Wedding")
    page = answer.content.decode()
    assert answer.status_code == 429
    assert answer["Retry-After"]
    assert f'value="{target}"' in page
    assert 'value="Wedding"' in page


def test_each_file_counts_as_a_photo(as_alice: Client, alice: User, settings: Settings) -> None:
    settings.FACESWAP_PHOTOS_PER_MINUTE = 2
    answer = send(as_alice, source_image=file(), target_images=[file() for _ in range(3)])
    assert answer.status_code == 429
    assert "An account may send 2 pictures a minute." in answer.content.decode()
    assert Upload.objects.count() == 2


# --- Its page -------------------------------------------------------------------------------------


def poll_of(page: str) -> str:
    found = re.search(r'hx-get="(/batches/[^"]+\?every=[^"]+)"', page)
    assert found, "the page does not poll"
    return found[1].replace("&amp;", "&")


def test_the_page_shows_progress_and_follows_it(
    as_alice: Client, alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    batch = requested(alice, 3)
    first, second, third = batch.swaps.order_by("created_at")
    with django_assert_max_num_queries(5):
        page = as_alice.get(reverse("swaps:batch", args=[batch.pk])).content.decode()
    assert "0 of 3" in page
    assert "<title>(0/3) Batch" in page
    poll = poll_of(page)
    assert as_alice.get(poll, headers=HTMX).status_code == 204
    end(first)
    update = as_alice.get(poll, headers=HTMX).content.decode()
    assert "1 of 3" in update
    assert 'value="33"' in update
    assert re.findall(r'<li id="swap-([0-9a-f-]+)"', update) == [str(first.pk)]
    end(second, errors.NoFace("target", image="target"))
    end(third)
    last = as_alice.get(poll_of(update), headers=HTMX).content.decode()
    assert "2 of 3 pictures are ready. 1 not possible." in last
    assert "hx-get=" not in last.partition('id="progress"')[0]
    whole = as_alice.get(reverse("swaps:batch", args=[batch.pk])).content.decode()
    assert "?every=" not in whole


def test_what_is_deleted_goes_and_what_comes_arrives(as_alice: Client, alice: User) -> None:
    batch = requested(alice, 2)
    gone, _ = batch.swaps.order_by("created_at")
    poll = poll_of(as_alice.get(reverse("swaps:batch", args=[batch.pk])).content.decode())
    as_alice.post(reverse("swaps:delete", args=[gone.pk]))
    new = finished_swap(alice)
    Swap.objects.filter(pk=new.pk).update(batch=batch)
    update = as_alice.get(poll, headers=HTMX).content.decode()
    assert f'<li id="swap-{gone.pk}" hx-swap-oob="delete">' in update
    assert f'id="swap-{new.pk}"' in update.partition("beforeend:#cards")[2]


def test_what_failed_is_tried_again_by_one_press(as_alice: Client, alice: User) -> None:
    batch = requested(alice, 2)
    broken, faceless = batch.swaps.order_by("created_at")
    end(broken, errors.ApiError("gave_up"))
    end(faceless, errors.NoFace("target", image="target"))
    url = reverse("swaps:batch", args=[batch.pk])
    assert "Try 1 again" in as_alice.get(url).content.decode()
    for _ in range(2):
        assert as_alice.post(reverse("swaps:retry_batch", args=[batch.pk]))["Location"] == url
    assert batch.swaps.count() == 2
    assert Swap.objects.count() == 3
    page = as_alice.get(url).content.decode()
    assert "again</button>" not in page
    assert "0 of 2" in page


def test_a_retry_without_swaps_left_says_so(as_alice: Client, alice: User) -> None:
    batch = requested(alice, 1)
    end(batch.swaps.get(), errors.ApiError("gave_up"))
    leave(alice, 0)
    page = as_alice.post(reverse("swaps:retry_batch", args=[batch.pk]), follow=True)
    assert "You have used all your swaps." in page.content.decode()


def test_the_finished_ones_come_as_one_file(as_alice: Client, alice: User) -> None:
    batch = requested(alice, 3)
    batch.rename("Our wedding")
    url = reverse("swaps:batch_zip", args=[batch.pk])
    assert as_alice.get(url).status_code == 409
    for swap in batch.swaps.all()[:2]:
        end(swap)
    answer: Any = as_alice.get(url)
    assert answer["Content-Disposition"] == 'attachment; filename="Our-wedding.zip"'
    archive = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    assert len(archive.namelist()) == 2


def test_it_can_be_named(as_alice: Client, alice: User) -> None:
    batch = requested(alice, 1)
    url = reverse("swaps:rename_batch", args=[batch.pk])
    assert as_alice.post(url, {"name": " A <b>  name "}).status_code == 302
    page = as_alice.get(reverse("swaps:batch", args=[batch.pk])).content.decode()
    assert "<h1>A &lt;b&gt; name</h1>" in page
    part = as_alice.post(url, {"name": ""}, headers=HTMX).content.decode()
    assert "<h1>Batch</h1>" in part
    assert "<html" not in part


def test_it_can_be_deleted_after_being_asked(as_alice: Client, alice: User) -> None:
    batch = requested(alice, 2)
    page = as_alice.get(reverse("swaps:batch", args=[batch.pk])).content.decode()
    assert "2 swaps with all photos and results are removed." in page
    for _ in range(2):
        answer = as_alice.post(reverse("swaps:delete_batch", args=[batch.pk]))
        assert answer["Location"] == reverse("swaps:history")
    assert not Swap.objects.visible_to(alice).exists()
    assert as_alice.get(reverse("swaps:batch", args=[batch.pk])).status_code == 404


def test_an_empty_batch_says_so(as_alice: Client, alice: User) -> None:
    batch = Batch.objects.create(owner=alice)
    page = as_alice.get(reverse("swaps:batch", args=[batch.pk])).content.decode()
    assert "Nothing here any more" in page


def test_only_its_owner_sees_and_changes_it(as_charlie: Client, alice: User) -> None:
    batch = requested(alice, 1)
    for name in ("batch", "batch_zip"):
        assert as_charlie.get(reverse(f"swaps:{name}", args=[batch.pk])).status_code == 404
    for name in ("retry_batch", "rename_batch"):
        assert as_charlie.post(reverse(f"swaps:{name}", args=[batch.pk])).status_code == 404
    as_charlie.post(reverse("swaps:delete_batch", args=[batch.pk]))
    assert batch.swaps.get().is_unfinished
