"""A swap performed by the real engine, as the worker does it."""

import io

import pytest
from django.conf import settings
from PIL import Image

from swaps import images, storage
from swaps.clock.steps import tick
from swaps.lifecycle.request import request_swap
from swaps.lifecycle.uploads import keep_upload
from swaps.models import Look, Quota, Status, Swap, Upload, User
from swaps.provenance import xmp
from swaps.sizes import SIDES
from swaps.tasks import look_at_photo, run_swap
from tests.paths import PHOTOS
from tests.pictures import MP, accepted, photo, real, written
from tests.swap_rows import later, queued_swap

pytestmark = pytest.mark.django_db


def done(owner: User, source: images.Photo, target: images.Photo) -> Swap:
    swap = request_swap(owner, source, target)
    run_swap.call(str(swap.pk))
    swap.refresh_from_db()
    return swap


def test_two_real_photos_become_a_result_of_the_targets_size_marked_as_made_by_ai(
    alice: User,
) -> None:
    target = real("face-woman-frontal")
    swap = done(alice, real("face-man-frontal"), target)
    assert swap.status == Status.SUCCEEDED
    data = storage.read(swap.result_key)
    assert (swap.width, swap.height, swap.size) == (target.width, target.height, len(data))
    assert images.dimensions(data) == (target.width, target.height)
    assert xmp.is_marked(data)
    for side in SIDES:
        copy = storage.read(storage.copy_key(swap.result_key, side))
        assert max(images.dimensions(copy)) <= side
    assert Quota.objects.get_or_grant(alice).spent == 1


def test_a_target_with_alpha_gives_a_png(alice: User) -> None:
    with Image.open(PHOTOS / "face-woman-frontal.jpg") as picture:
        picture.putalpha(Image.new("L", picture.size, 200))
        half = accepted(written(picture), max_pixels=50 * MP)
    swap = done(alice, real("face-man-frontal"), half)
    with Image.open(io.BytesIO(storage.read(swap.result_key))) as result:
        assert result.format == "PNG"
        assert result.getchannel("A").getextrema() == (200, 200)


@pytest.mark.parametrize("faceless", ["source", "target"])
def test_a_photo_without_a_face_is_named_and_not_counted(alice: User, faceless: str) -> None:
    photos = {"source": real("face-man-frontal"), "target": real("face-woman-frontal")}
    photos[faceless] = photo()
    swap = done(alice, photos["source"], photos["target"])
    assert (swap.status, swap.error_code, swap.error_image) == ("failed", "no_face", faceless)
    assert {"source": "face photo", "target": "target photo"}[faceless] in swap.error_text
    assert Quota.objects.get_or_grant(alice).spent == 0


def looked_at(owner: User, photo: images.Photo) -> Upload:
    upload = keep_upload(owner, photo)
    look_at_photo.call(str(upload.pk))
    upload.refresh_from_db()
    return upload


def test_a_photo_is_looked_at(alice: User) -> None:
    upload = looked_at(alice, real("group-two-people"))
    assert (upload.look, len(upload.faces), upload.lease_expires_at) == (Look.READY, 2, None)
    faces = upload.faces
    look_at_photo.call(str(upload.pk))  # once more
    upload.refresh_from_db()
    assert upload.faces == faces


def test_a_photo_without_a_face_is_refused(alice: User) -> None:
    assert looked_at(alice, photo()).look == Look.REFUSED


def test_a_look_that_is_lost_is_taken_again_and_given_up_in_the_end(alice: User) -> None:
    upload = keep_upload(alice, real("face-man-frontal"))
    for number in range(1, settings.FACESWAP_MAX_ATTEMPTS + 1):
        tick(later(120 * number))
        upload.refresh_from_db()
        assert (upload.look, upload.attempts) == (Look.LOOKING, number)
    tick(later(600))
    upload.refresh_from_db()
    assert (upload.look, upload.faces) == (Look.READY, [])


def test_a_photo_that_is_gone_is_not_looked_at(alice: User) -> None:
    upload = keep_upload(alice, photo())
    pk = str(upload.pk)
    upload.delete()
    look_at_photo.call(pk)


def test_a_task_that_runs_twice_works_once(alice: User) -> None:
    swap = done(alice, real("face-man-frontal"), real("face-woman-frontal"))
    run_swap.call(str(swap.pk))
    again = Swap.objects.get(pk=swap.pk)
    assert (again.attempts, again.finished_at) == (1, swap.finished_at)


def test_a_task_of_a_row_that_is_gone_does_nothing(alice: User) -> None:
    swap = queued_swap(alice)
    pk = str(swap.pk)
    swap.delete()
    run_swap.call(pk)


def test_files_that_vanished_end_the_swap_after_the_last_attempt(alice: User) -> None:
    swap = queued_swap(alice)
    storage.delete([swap.source_key])
    for _ in range(settings.FACESWAP_MAX_ATTEMPTS):
        run_swap.call(str(swap.pk))
        tick(later(40))
    swap.refresh_from_db()
    assert (swap.status, swap.error_code) == ("failed", "api_error")
    assert Quota.objects.get_or_grant(alice).spent == 0
